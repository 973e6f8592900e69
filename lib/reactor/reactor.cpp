// SPDX-License-Identifier: BSL-1.0
#include "reactor/reactor.hpp"

#include "base/assert.hpp"
#include "core/scheduler.hpp"
#include "core/waiter.hpp"

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <new>
#include <optional>
#include <utility>

namespace coir::detail {

constinit thread_local reactor* reactor::current_ = nullptr;

namespace {

wait_label label_of(const io_interest* interests, std::size_t count, ended_by signals) noexcept {
    if (count == 0) {
        return {"a timeout of poll", -1, signals != ended_by::no_handler && handlers_are_counted()};
    }
    return {
        interests[0].what == direction::read ? "reading from descriptor" : "writing to descriptor",
        interests[0].descriptor, true};
}

}  // namespace

// One interest of one wait, while it stands in its descriptor's list. On the waiting fiber's stack.
struct reactor::armed_wait {
    armed_wait(waiter& w, interest_entry& e, const io_interest& i) noexcept
        : node(w), entry(e), interest(i), generation(e.generation) {
        node.link_before(entry.waiters_for(interest.what));
    }
    bool closed_meanwhile() const noexcept { return entry.generation != generation; }

    wait_node node;
    interest_entry& entry;
    const io_interest& interest;
    const std::uint32_t generation;  // of the entry when the wait began
};

// As many as a wait needs; the few that nearly all need are on the stack.
class reactor::armed_waits {
public:
    explicit armed_waits(std::size_t capacity) noexcept {
        if (capacity > few) {
            more_.reset(new (std::nothrow) std::optional<armed_wait>[capacity]);
        }
        data_ = capacity > few ? more_.get() : few_.data();
    }
    bool allocated() const noexcept { return data_ != nullptr; }
    void add(waiter& w, interest_entry& e, const io_interest& i) noexcept {
        data_[size_++].emplace(w, e, i);
    }
    // Takes out those that stand in one entry, or all. @returns whether there was one.
    bool leave(const interest_entry* entry = nullptr) noexcept {
        bool any = false;
        for (auto& one : *this) {
            if (one->node.linked() && (entry == nullptr || &one->entry == entry)) {
                one->node.unlink();
                any = true;
            }
        }
        return any;
    }
    std::optional<armed_wait>* begin() noexcept { return data_; }
    std::optional<armed_wait>* end() noexcept { return data_ + size_; }

private:
    static constexpr std::size_t few = 4;
    std::array<std::optional<armed_wait>, few> few_;
    std::unique_ptr<std::optional<armed_wait>[]> more_;
    std::optional<armed_wait>* data_ = nullptr;
    std::size_t size_ = 0;
};

reactor::reactor(std::unique_ptr<poller> backend)
    : poller_(std::move(backend)), completions_(poller_->completions()) {}

reactor::on_this_thread::on_this_thread(reactor& r) noexcept {
    COIR_ASSERT(current_ == nullptr, "two reactors on one thread");
    current_ = &r;
}

void reactor::leave_in_child() noexcept {
    current_ = nullptr;
    forget_reactors_in_child();
}

reactor::~reactor() { COIR_ASSERT(waits_ == 0, "a reactor dies while somebody waits in it"); }

// wait_any() for what nearly all waits are.
io_result reactor::wait_one(const io_interest& interest, deadline until, cancellable cancel,
                            ended_by signals) noexcept {
    if (interest.descriptor < 0) {
        return {wait_status::notified, EBADF};
    }
    interest_entry* const entry = entry_at(interest.descriptor);
    if (entry == nullptr) {
        return {wait_status::notified, ENOMEM};
    }
    const std::uint32_t life = begin_wait(*entry, interest);
    if (!goes_on(*entry, interest, life)) {
        forget_life(*entry, interest.descriptor, life);
    }
    waiter w(false);
    armed_wait armed(w, *entry, interest);
    io_result result{wait_status::notified, announce(*entry, interest.descriptor, interest.kind)};
    if (result.error == 0) {
        result.status = park_for(w, until, label_of(&interest, 1, signals), cancel, signals);
    } else if (result.error == EPERM) {  // see wait_any()
        result.error = 0;
    }
    if (armed.node.linked()) {
        armed.node.unlink();
    }
    if (armed.closed_meanwhile()) {
        return {wait_status::notified, EBADF};
    }
    if (interest.kind == descriptor_kind::foreign) {
        withdraw(*entry, interest.descriptor);
    }
    return result;
}

wait_status reactor::park_for(waiter& w, deadline until, const wait_label& label,
                              cancellable cancel, ended_by signals) noexcept {
    scheduler& home = w.fiber()->home();
    std::optional<wait_node> in_signal_line;
    if (signals != ended_by::no_handler) {
        home.signals().enter(in_signal_line.emplace(w), signals);
    }
    ++waits_;
    const wait_status status = home.park(w, until, label, cancel);
    --waits_;
    if (in_signal_line && in_signal_line->linked()) {
        in_signal_line->unlink();
    }
    return status;
}

io_result reactor::wait_any(const io_interest* interests, std::size_t count, deadline until,
                            cancellable cancel, ended_by signals) noexcept {
    if (count == 1) {
        return wait_one(interests[0], until, cancel, signals);
    }
    waiter w(false);
    armed_waits armed(count);
    if (!armed.allocated()) {
        return {wait_status::notified, ENOMEM};
    }
    int error = 0;
    bool ready_at_once = false;
    for (std::size_t i = 0; i < count && error == 0 && !ready_at_once; ++i) {
        if (interests[i].descriptor < 0) {
            error = EBADF;
            break;
        }
        interest_entry* const entry = entry_at(interests[i].descriptor);
        if (entry == nullptr) {
            error = ENOMEM;
            break;
        }
        const std::uint32_t life = begin_wait(*entry, interests[i]);
        if (!goes_on(*entry, interests[i], life)) {
            // Who does not sleep yet must not be woken.
            const bool stands_there = armed.leave(entry);
            forget_life(*entry, interests[i].descriptor, life);
            if (stands_there) {  // for another direction, of a file that has changed since
                error = EBADF;
                break;
            }
        }
        armed.add(w, *entry, interests[i]);
        error = announce(*entry, interests[i].descriptor, interests[i].kind);
        if (error == EPERM) {  // epoll_ctl(2): a file that does not support polling is always ready
            error = 0;
            ready_at_once = true;
        }
    }

    io_result result{wait_status::notified, error};
    if (error == 0 && !ready_at_once) {
        result.status = park_for(w, until, label_of(interests, count, signals), cancel, signals);
    }
    armed.leave();
    for (auto& one : armed) {
        if (one->closed_meanwhile()) {
            result = {wait_status::notified, EBADF};
        } else if (one->interest.kind == descriptor_kind::foreign) {
            withdraw(one->entry, one->interest.descriptor);
        }
    }
    return result;
}

// Null: there is no memory for it.
interest_entry* reactor::entry_at(int descriptor) noexcept {
    try {
        return &table_.at(descriptor);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

// @returns the life of the descriptor that the wait is for.
std::uint32_t reactor::begin_wait(interest_entry& entry, const io_interest& interest) noexcept {
    entry.events_for_nobody = 0;
    return descriptor_record::of(interest.descriptor).begin_wait(registration_.number());
}

// Whether the entry is about the file that a wait, which begins now, is for. Where the poller
// watches a file under this number already, it is asked whether that is the one; for a file of our
// own it need not be, since that one is watched for as long as it lives.
bool reactor::goes_on(interest_entry& entry, const io_interest& interest,
                      std::uint32_t life) noexcept {
    if (entry.life != life) {
        return false;
    }
    if (interest.kind == descriptor_kind::owned) {
        return true;
    }
    direction_set wanted = entry.wanted();
    (interest.what == direction::read ? wanted.read : wanted.write) = true;
    return renew(entry, interest.descriptor, wanted);
}

// Has the poller watch for what is wanted, if it watches. False: not the file that the number has.
bool reactor::renew(interest_entry& entry, int descriptor, direction_set wanted) noexcept {
    const poller_key key{descriptor, entry.generation};
    if (entry.standing) {
        return poller_->renew_standing(key);
    }
    if (entry.one_shot == direction_set{}) {
        return true;
    }
    entry.one_shot = wanted;
    return poller_->renew_one_shot(key, wanted);
}

// Tells the poller what it does not know yet of who waits.
int reactor::announce(interest_entry& entry, int descriptor, descriptor_kind kind) noexcept {
    if (entry.standing) {
        return 0;
    }
    const poller_key key{descriptor, entry.generation};
    if (kind == descriptor_kind::owned && poller_->has_standing_interest()) {
        const int error = poller_->set_standing(key);
        entry.standing = error == 0;
        entry.one_shot = {};
        return error;
    }
    const direction_set wanted = entry.wanted();
    if (wanted == entry.one_shot) {
        return 0;
    }
    const int error = poller_->set_one_shot(key, wanted);
    if (error == 0) {
        entry.one_shot = wanted;
    }
    return error;
}

// A foreign descriptor must not stay in the poller for longer than somebody waits for it: it may be
// closed behind our back, and its number may come to mean another one.
void reactor::withdraw(interest_entry& entry, int descriptor) noexcept {
    const direction_set wanted = entry.wanted();
    if (entry.standing || wanted == entry.one_shot) {
        return;
    }
    if (wanted == direction_set{}) {
        poller_->set_one_shot({descriptor, entry.generation}, wanted);
        entry.one_shot = wanted;
    } else if (!renew(entry, descriptor, wanted)) {
        forget(descriptor);
    }
}

void reactor::dispatch(const poller_event& event) noexcept {
    interest_entry* const entry = table_.find(event.key.descriptor);
    if (entry == nullptr || entry->generation != event.key.generation) {
        return;  // about an earlier descriptor of this number
    }
    if (event.invalid) {
        forget(event.key.descriptor);
        return;
    }
    const bool for_nobody = entry->wanted() == direction_set{};
    // An edge tells of both directions, and mostly nobody waits to write.
    if (event.readable || event.ended || event.failed) {
        entry->ready_for(direction::read) = true;
        if (entry->anyone_waits_for(direction::read)) {
            unpark_all(entry->waiters_for(direction::read));
        }
    }
    if (event.writable || event.failed) {
        entry->ready_for(direction::write) = true;
        if (entry->anyone_waits_for(direction::write)) {
            unpark_all(entry->waiters_for(direction::write));
        }
    }
    if (entry->standing) {
        // No further edge will come for what lasts for ever; the bits must not wait for one.
        entry->final[0] |= event.ended || event.failed;
        entry->final[1] |= event.failed;
        if (for_nobody && ++entry->events_for_nobody == most_events_for_nobody) {
            stop_standing(*entry, event.key);
        }
        return;
    }
    entry->one_shot = entry->wanted();
    if (!(entry->one_shot == direction_set{}) &&
        !poller_->renew_one_shot(event.key, entry->one_shot)) {
        forget(event.key.descriptor);
    }
}

// Until somebody waits here again, which he may do at once: what is not watched may be ready.
void reactor::stop_standing(interest_entry& entry, const poller_key& key) noexcept {
    poller_->set_one_shot(key, {});
    entry.standing = false;
    entry.ready = {true, true};
}

void reactor::forget(int descriptor) noexcept {
    if (interest_entry* const entry = table_.find(descriptor)) {
        if (entry->operations != std::array<io_operation*, 2>{}) {
            completions_->ask_for_end_of_all(descriptor);
        }
        forget_life(*entry, descriptor, descriptor_record::of(descriptor).life());
    }
}

// The entry is about a file that the number does not mean any more. `life`: that of the wait that
// begins. It must not be a later one, or the wait would not be ended with its own.
void reactor::forget_life(interest_entry& entry, int descriptor, std::uint32_t life) noexcept {
    if (entry.standing || !(entry.one_shot == direction_set{})) {
        poller_->forget(descriptor);
    }
    ++entry.generation;  // tells the waiters, and makes late events miss
    entry.life = life;
    entry.standing = false;
    entry.one_shot = {};
    entry.ready = {true, true};
    entry.final = {};
    unpark_all(entry.waiters_for(direction::read));
    unpark_all(entry.waiters_for(direction::write));
    for (io_operation*& operation : entry.operations) {
        if (operation != nullptr) {
            std::exchange(operation, nullptr)->disturb();
        }
    }
}

void reactor::closed_elsewhere(int descriptor) noexcept {
    {
        const std::lock_guard guard(closed_mutex_);
        try {
            closed_.push_back(descriptor);
        } catch (const std::bad_alloc&) {
            all_may_be_closed_ = true;
        }
        has_closed_.store(true, std::memory_order_release);
    }
    poller_->wake();
}

// What other threads have closed, or are about to.
void reactor::forget_closed() noexcept {
    std::vector<int> closed;
    bool all = false;
    {
        const std::lock_guard guard(closed_mutex_);
        closed.swap(closed_);
        all = std::exchange(all_may_be_closed_, false);
        has_closed_.store(false, std::memory_order_relaxed);
    }
    const auto forget_if_over = [this](int descriptor, interest_entry& entry) {
        const std::uint32_t life = descriptor_record::of(descriptor).life();
        if (entry.life != life || !renew(entry, descriptor, entry.one_shot)) {
            forget_life(entry, descriptor, life);
        }
    };
    for (const int descriptor : closed) {
        if (interest_entry* const entry = table_.find(descriptor)) {
            forget_if_over(descriptor, *entry);
        }
    }
    if (all) {
        table_.for_each(forget_if_over);
    }
}

void reactor::wait(deadline until) noexcept {
    if (waits_ == 0 && until == deadline::immediately()) {
        return;  // nobody waits, and what other threads post is seen without the kernel
    }
    take_events(until);
}

std::size_t reactor::take_events(deadline until) noexcept {
    const auto ends = [this] {
        return completions_ != nullptr ? completions_->count_of_ends() : 0;
    };
    const std::size_t ends_before = ends();
    const std::size_t count = poller_->wait(until, events_.data(), events_.size());
    if (has_closed_.load(std::memory_order_acquire)) {
        forget_closed();  // first: events of these numbers are about new files, or late
    }
    for (std::size_t i = 0; i < count; ++i) {
        expect(i, count);
        dispatch(events_[i]);
    }
    return count + (ends() - ends_before);
}

// Event i is to be dispatched: starts loading what later ones will need, first the entry and then,
// found by it, the waiter on the sleeper's stack. With a thousand connections each is a cache miss.
void reactor::expect(std::size_t i, std::size_t count) const noexcept {
    if (i + 4 < count) {
        __builtin_prefetch(table_.find(events_[i + 4].key.descriptor));
    }
    if (i + 2 < count) {
        if (const interest_entry* const soon = table_.find(events_[i + 2].key.descriptor)) {
            __builtin_prefetch(soon->waiters[0].next);
        }
    }
}

void reactor::wake() noexcept { poller_->wake(); }

}  // namespace coir::detail
