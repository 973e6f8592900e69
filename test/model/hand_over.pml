// SPDX-License-Identifier: BSL-1.0
// Model of how a wait ends: lib/core/waiter.cpp, wait_queue.cpp, scheduler::park().
// Goal: a wait has one outcome, which is delivered once; no notification is lost with a waiter that
// was cancelled or timed out; nobody touches a waiter, which stands on its fiber's stack, once the
// wait has returned, nor a scheduler that has gone; everybody comes to an end. Method: a semaphore
// as somebody would write it on wait_queue, two fibers of one carrier that acquire and release it,
// one with a deadline, the other cancelled from outside; two threads that release it; each at any
// moment.
//
// A waiter passes through one transition, and its fiber through the places beside it:
//
//   waiting, the fiber runs    linked; notifiers may find it as soon as the lock was given up
//   claimed, the fiber runs    a thread was so fast, and is about to post it or has: the fiber
//                              parks all the same: the inbox is delivered to parked fibers alone
//   waiting, parked            the usual case; the notifier, the timer and the scope may claim it
//   claimed, parked            whoever claimed it is about to deliver it: at once on the home
//                              thread, by way of the inbox from another
//   claimed, ready or running  delivered; the timer is disarmed before the fiber leaves park(), and
//                              its node unlinked under the lock, which it cannot get before the
//                              notifier that had found the node has done with it
//
// A fiber that waits in a place (park_in_places) and was notified there does not take the lock
// again: the notifier has unlinked its node, and the post was the last that it did with the waiter.
// If it found the carrier asleep it still has the scheduler to wake, which posts_in_progress keeps
// alive; who found it awake has done with it, and does not count.
//
//
// Spin assumes sequential consistency. What is asked of the orderings: the claim is acq_rel, so
// that what the notifier did is seen by whoever reads the outcome; all of queue and node is guarded
// by the lock; the fiber's own place, timer and ready queue are the home thread's alone. From the
// notifier to the fiber the inbox releases and acquires (inbox.pml; here a post is one step).

#define null 0
#define asleep 1
#define items 2

// The outcome.
#define waiting 0
#define notified 1
#define timed_out 2
#define cancelled 3

// The fiber's place.
#define ready 1
#define running 2
#define parked 3
#define ended 4

#define FIBERS 2
#define ROUNDS 2                // waits of each, at the same place on its stack
#define with_deadline 0         // the fiber that has one
#define with_cancel 1           // the fiber that is cancelled
#define nobody 9

// The semaphore, guarded by the lock.
bool lock;
byte permits;
byte queue[FIBERS];             // fibers in line, oldest first
byte length;

bool fiber_lock;                // fiber_control::lock_ of with_cancel

// The waiters, one on each fiber's stack, with their nodes.
byte state[FIBERS];
bool linked[FIBERS];

// The home thread's.
byte place[FIBERS];
bool waits[FIBERS];             // fiber_control::wait is set
bool armed;                     // the timer of with_deadline
bool scope_cancelled;           // the effective cause in the scope of with_cancel
bool deadline_seen;             // loop_time_ is past the deadline
byte current = nobody;          // who runs; nobody: the loop does

// What other threads share with the carrier.
byte head = null;
bool in_inbox[FIBERS + 1];      // the waiters' items, and the cancellation's
bool event;
byte posts_in_progress;
bool deadline_passed;

// For the assertions.
bool alive[FIBERS];             // the waiter exists
byte claims[FIBERS];
byte deliveries[FIBERS];
byte got, released;
bool home_gone;

inline take_the_lock() {
    atomic { !lock -> lock = true }
}

inline claim(f, outcome) {
#if defined(BUG_CLAIM_IS_NO_EXCHANGE)
    atomic { assert(alive[f]); won = (state[f] == waiting) }
    atomic {
        if
        :: won -> state[f] = outcome; claims[f]++
        :: else
        fi }
#else
    atomic {
        assert(alive[f]);
        won = (state[f] == waiting);
        if
        :: won -> state[f] = outcome; claims[f]++
        :: else
        fi }
#endif
}

inline make_ready(f) {
    atomic {
        assert(alive[f] && state[f] != waiting && place[f] == parked);
        place[f] = ready;
        deliveries[f]++
    }
}

inline post(item) {
    d_step {  // post_to_awake()
        assert(!home_gone);
        was_asleep = (head == asleep);
        if
        :: !was_asleep -> head = items; in_inbox[item] = true
        :: else
        fi
    }
    if
    :: was_asleep ->
#if !defined(BUG_WAKES_UNCOUNTED)
       posts_in_progress++;
#endif
       d_step { was_asleep = (head == asleep); head = items; in_inbox[item] = true }
       if
       :: was_asleep -> assert(!home_gone); event = true
       :: else
       fi;
#if !defined(BUG_WAKES_UNCOUNTED)
       d_step { assert(!home_gone); posts_in_progress--; was_asleep = false }
#else
       was_asleep = false
#endif
    :: else
    fi
}

// waiter::deliver(), on the home thread and on another.
inline deliver_at_home(f) { make_ready(f) }
inline deliver_from_afar(f) {
#if defined(BUG_REMOTE_MAKES_READY)
    make_ready(f)
#else
    assert(alive[f]);
    post(f)
#endif
}

// A notifier takes the first node out of the line, with the lock held.
inline find_first() {
    d_step {
        found = queue[0];
        assert(alive[found] && linked[found]);
        queue[0] = queue[1];
        queue[1] = 0;
        length--;
        linked[found] = false
    }
#if defined(BUG_UNPARK_WITHOUT_LOCK)
    lock = false;
#endif
    claim(found, notified)
}

// The semaphore's release(): unpark_one(), or a permit more if nobody was there to be notified. It
// is written out for each kind of thread, so that states which one of them never reaches show up.
inline release_at_home() {
    take_the_lock();
    released++;
    do
    :: length > 0 && !won ->
       find_first();
       if
       :: won -> deliver_at_home(found)
       :: else
       fi
    :: else -> break
    od;
    leave_release()
}

inline release_from_afar() {
    take_the_lock();
    released++;
    do
    :: length > 0 && !won ->
       find_first();
       if
       :: won -> deliver_from_afar(found)
       :: else
       fi
#if defined(BUG_UNPARK_WITHOUT_LOCK)
       ; take_the_lock()
#endif
    :: else -> break
    od;
    leave_release()
}

inline leave_release() {
    d_step {
        if
        :: !won -> permits++
        :: else
        fi;
        lock = false;
        won = false;
        found = 0
    }
}

proctype fiber(byte self) {
    byte found, round;
    bool won, locked;

    current == self;
again:
    take_the_lock();
    if
    :: permits > 0 -> d_step { permits--; got++; lock = false }; goto have_it
    :: else
    fi;
    d_step {  // the waiter and its node are made
        alive[self] = true;
        claims[self] = 0;
        deliveries[self] = 0;
        state[self] = waiting;
        queue[length] = self;
        length++;
        linked[self] = true
    }
    lock = false;

    // scheduler::park()
    if
    :: self == with_cancel && scope_cancelled -> claim(self, cancelled)
    :: self == with_deadline && deadline_seen -> claim(self, timed_out)
    :: else -> won = false
    fi;
#if defined(BUG_LOSER_RETURNS)
    if
    :: state[self] != waiting -> goto unlink
    :: else
    fi;
#endif
    if
    :: won -> deliveries[self]++; won = false; goto unlink
    :: else
    fi;
    d_step {
        armed = armed || self == with_deadline;
        waits[self] = true;
        place[self] = parked;
        current = nobody
    }
    atomic { current == self; place[self] = running }
    d_step {
        waits[self] = false;
#if !defined(BUG_TIMER_STAYS_ARMED)
        armed = armed && self != with_deadline
#endif
    }

unlink:
    // wait_queue::park_locked() again, or park_in_places(); the latter's waiter may be gone before
    // its notifier has given the lock up.
    if
    :: state[self] == notified -> locked = false
    :: locked = true
    fi;
#if defined(BUG_RETURNS_WITHOUT_LOCK)
    locked = false;
#endif
    if
    :: locked -> take_the_lock()
    :: else
    fi;
#if !defined(BUG_STAYS_IN_LINE)
    atomic {
        if
        :: linked[self] && queue[0] == self -> queue[0] = queue[1]; queue[1] = 0; length--
        :: linked[self] && queue[0] != self -> queue[1] = 0; length--
        :: else
        fi;
        linked[self] = false
    }
#endif
    d_step {
        if
        :: state[self] == notified -> got++
        :: else
        fi;
        assert(claims[self] == 1 && deliveries[self] == 1);
        assert(!in_inbox[self]);
        alive[self] = false
    }
    if
    :: locked -> lock = false
    :: else
    fi;
    if
    :: state[self] == notified -> goto have_it
    :: else -> goto next_round
    fi;

have_it:
    if
    :: round + 1 < ROUNDS -> release_at_home()
    :: else  // kept to the end, so that a fiber may end with no look at the lock
    fi;
next_round:
    atomic {
        round++;
        if
        :: round < ROUNDS -> goto again
        :: else
        fi
    }
    // fiber_control::announce_end()
    if
    :: self == with_cancel -> atomic { !fiber_lock -> fiber_lock = true }
    :: else
    fi;
    atomic { place[self] = ended; fiber_lock = fiber_lock && self != with_cancel; current = nobody }
}

inline read_clock_and_fire() {
    deadline_seen = deadline_passed;
    if
    :: deadline_seen && armed ->
       armed = false;
       claim(with_deadline, timed_out);
       if
       :: won -> deliver_at_home(with_deadline); won = false
       :: else
       fi
    :: else
    fi
}

// The loop that is made by whichever fiber stops running: next_ready() and wait_for_ready().
proctype carrier() {
    byte i;
    bool won;
    bool taken[FIBERS + 1];

    do
    :: current == nobody ->
       // Delivers the inbox: a post made while this goes on is for the next time.
       if
       :: head != null ->
          d_step {
              assert(head != asleep);
              head = null;
              i = 0;
              do
              :: i <= FIBERS -> taken[i] = in_inbox[i]; in_inbox[i] = false; i++
              :: else -> break
              od;
              i = 0
          }
          if
          :: taken[0] -> make_ready(0); taken[0] = false
          :: else
          fi;
          if
          :: taken[1] -> make_ready(1); taken[1] = false
          :: else
          fi;
          if
          :: taken[FIBERS] ->  // scope::cancel(), fiber_control::interrupt()
             d_step { scope_cancelled = true; taken[FIBERS] = false }
             if
             :: waits[with_cancel] -> claim(with_cancel, cancelled)
             :: else
             fi;
             if
             :: won -> deliver_at_home(with_cancel); won = false
             :: else
             fi
          :: else
          fi
       :: else
       fi;
       if
       :: read_clock_and_fire()  // poll(): every so many switches
       :: true
       fi;
       if
       :: atomic { place[0] == ready -> current = 0; place[0] = running }
       :: atomic { place[1] == ready -> current = 1; place[1] = running }
       :: place[0] == ended && place[1] == ended -> break
       :: place[0] != ready && place[1] != ready && (place[0] == parked || place[1] == parked) ->
          atomic {
              if
              :: head == null -> head = asleep
              :: else -> goto awake
              fi }
          // A carrier that nobody wakes stays here: an invalid end state.
          atomic {
              if
              :: event -> event = false
              :: armed && deadline_passed
              fi }
          atomic {
              if
              :: head == asleep -> head = null
              :: else
              fi }
awake:
          read_clock_and_fire()
       fi
    od;
    // The scheduler's end: nobody may still be on the way out of post().
#if !defined(BUG_HOME_LEAVES_EARLY)
    posts_in_progress == 0;
#endif
    home_gone = true
}

proctype releaser() {
    byte found;
    bool won, was_asleep;
    release_from_afar()
}

// fiber_control::request_cancel(). The item is fiber_control's, which a reference keeps alive.
proctype canceller() {
    bool was_asleep;
    if
    :: atomic { !fiber_lock -> fiber_lock = true }
       if
       :: place[with_cancel] != ended -> post(FIBERS)
       :: else
       fi;
       fiber_lock = false
    :: true  // never
    fi
}

proctype clock() {
    if
    :: deadline_passed = true
    :: true  // never
    fi
}

init {
    atomic {
        place[0] = ready;
        place[1] = ready;
        run fiber(0);
        run fiber(1);
        run carrier();
        run releaser();
        run releaser();
        run canceller();
        run clock()
    }
    _nr_pr == 1;
    assert(released == got + permits);
    assert(length == 0 && !lock)
}
