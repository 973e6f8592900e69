// SPDX-License-Identifier: BSL-1.0
// Something that cannot be read and written is refused in a sentence.
// expect: S must be a stream
#include <coir/io/buffered_stream.hpp>
#include <coir/net/tcp.hpp>

#include <string>

#ifdef CONTROL
using stream = coir::net::tcp_socket;
#else
using stream = std::string;
#endif

// The size asks for the whole class.
static_assert(sizeof(coir::io::buffered_stream<stream>) > 0);
