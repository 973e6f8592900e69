// SPDX-License-Identifier: BSL-1.0
#include "base/describe_exception.hpp"

#include <cxxabi.h>
#include <boost/core/demangle.hpp>
#include <typeinfo>

namespace coir::detail {

std::string describe_exception(const std::exception_ptr& error) {
    if (!error) {
        return "no exception";
    }
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& known) {
        return boost::core::demangle(typeid(known).name()) + ": " + known.what();
    } catch (...) {
        const std::type_info* const type = abi::__cxa_current_exception_type();
        return type != nullptr ? "an exception of type " + boost::core::demangle(type->name())
                               : "an exception of unknown type";
    }
}

}  // namespace coir::detail
