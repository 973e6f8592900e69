// SPDX-License-Identifier: BSL-1.0
// Model of how the carriers of one run() find out together that all their fibers wait for each
// other: lib/core/carrier_group.cpp. Goal: a deadlock is declared only if no fiber runs, none waits
// to be started and no item is on its way; and it is declared if that is so, once. Method: N
// carriers that post to each other in every order, take unstarted fibers from each other, and are
// woken by their posters late, and for nothing.
//
// A carrier that is about to block for ever, with the word `asleep` in its inbox, says so in
// quiet[i] and in count. Whoever brings count to N looks at all. A look is no snapshot: work can
// jump from a carrier that is yet to be looked at to one that was. The epoch tells: it moves with
// each post that finds a sleeper, and whenever a carrier leaves quiet. So let j hand work to i
// after i was looked at. The `asleep` that the look sees of j is a later one. If the post found
// `asleep`, j has moved the epoch before. If it found null, i has called awake() since; it left
// quiet before that but after it was seen quiet, and moved the epoch. Either way the look fails.
// Nor is a deadlock missed: each carrier writes its own share of count, so the last count++ of all
// brings N, and the carrier that makes it finds everybody asleep.
//
// Tried, and refuted by this model: that the poster takes a sleeper out of quiet on its behalf, and
// moves the epoch only if it did (BUG_POSTER_LEAVES_QUIET). A carrier that wakes by itself may have
// taken itself out and not have moved the epoch yet, when the poster finds nothing to do. And that
// the one who declares takes itself out after it has let others look (BUG_NO_LOCK): a stale wake-up
// of another then declares the same deadlock twice.
//
// Spin assumes sequential consistency. The orderings are argued by hand: try_sleep releases and the
// look acquires head, so that it sees every move of the epoch that came before that sleep; awake,
// deliver_all and post are acq_rel, so that a poster that finds null has the awakened one's move of
// the epoch behind it and hands it on by its own sleep; count and epoch are moved with acq_rel;
// quiet is stored with release and loaded with acquire.
//
// The inbox is one word here, and a post one step; inbox.pml has its insides.

#define N 3
#define null 0
#define asleep 1
#define items 2

byte head[N];
bool quiet[N];
byte count;
byte epoch;
bool event[N];  // the poller's sticky wake-up
bool declaring; // the lock

// What goes on, for the assertion alone: it is read by no carrier.
bool runs[N];         // a fiber runs on it
byte unstarted[N];    // fibers that have not run, which any carrier may take

// How much happens. Each deadlock is broken by whoever declares it, who then runs on. (Three posts
// have been tried, too: 16 million states, nothing new.)
byte posts = 2;
byte spawns = 1;
#if defined(CYCLES)
byte wakes_for_nothing = 0;  // the search for cycles has twice the states
#else
byte wakes_for_nothing = 1;
#endif
byte deadlocks = 2;

inline post_to(target) {
    d_step { found = (head[target] == asleep); head[target] = items }
    if
    :: found ->
#if defined(BUG_POSTER_LEAVES_QUIET)
       take_out_of_quiet(target);
#elif !defined(BUG_POST_KEEPS_EPOCH)
       epoch++;
#endif
       event[target] = true
    :: else
    fi
}

inline take_out_of_quiet(who) {
    d_step { found = quiet[who]; quiet[who] = false }
    if
    :: found -> epoch++; count--
    :: else
    fi
}

inline leave_quiet() {
#if defined(BUG_POSTER_LEAVES_QUIET)
    take_out_of_quiet(self);
#else
    quiet[self] = false;
#if !defined(BUG_WAKE_KEEPS_EPOCH)
    epoch++;
#endif
    count--;
#endif
}

inline awake() {
    d_step {
        if
        :: head[self] == asleep -> head[self] = null
        :: else
        fi
    }
}

inline take_the_lock() {
#if defined(BUG_TRY_LOCK)
    atomic {
        if
        :: !declaring -> declaring = true
        :: else -> goto block
        fi
    }
#elif !defined(BUG_NO_LOCK)
    atomic { !declaring -> declaring = true }
#else
    skip
#endif
}

inline release_the_lock() {
#if !defined(BUG_NO_LOCK)
    declaring = false
#else
    skip
#endif
}

// The declaration: nobody may run or have anything to run. The declarer goes on as one who runs.
inline declare() {
    atomic {
        i = 0;
        do
        :: i < N ->
           assert(!runs[i] && unstarted[i] == 0 && head[i] != items);
           i++
        :: else -> break
        od;
        deadlocks--;
        runs[self] = true;
        i = 0;
        seen = 0
    }
}

proctype carrier(byte self) {
    byte i, seen;
    bool found;

    if
    :: runs[self] -> goto run_fiber
    :: else -> goto look_for_work
    fi;

run_fiber:
    do
    :: atomic { posts > 0 -> posts--; i = (self + 1) % N }
       post_to(i)
       d_step { i = 0; found = false }
    :: atomic { posts > 0 -> posts--; i = (self + 2) % N }
       post_to(i)
       d_step { i = 0; found = false }
    :: atomic { spawns > 0 -> spawns--; unstarted[self]++ }
       event[(self + 1) % N] = true  // a hint to a carrier that may be idle: no item, no epoch
    :: atomic { runs[self] = false; break }
    od;

look_for_work:
    atomic {
        if
        :: head[self] == items -> head[self] = null; runs[self] = true; goto run_fiber
        :: head[self] == null
        fi
    }
    do
    :: atomic { i < N && unstarted[i] > 0 ->
                unstarted[i]--; runs[self] = true; i = 0; goto run_fiber }
    :: atomic { i < N && unstarted[i] == 0 -> i++ }
    :: atomic { i == N -> i = 0; break }
    od;
    atomic {
        if
        :: head[self] == null -> head[self] = asleep  // try_sleep
        :: else -> goto look_for_work
        fi
    }
    quiet[self] = true;
    atomic {
        count++;
        if
        :: count != N -> goto block
        :: else
        fi
    }

    take_the_lock();
    seen = epoch;
    do
    :: atomic { i < N && quiet[i] }
       if
       :: atomic { head[i] == asleep -> i++ }
       :: atomic { head[i] != asleep -> goto no_deadlock }
       fi
    :: atomic { i < N && !quiet[i] -> goto no_deadlock }
    :: i == N -> break
    od;
    atomic {
        if
        :: epoch == seen -> declare()
        :: else -> goto no_deadlock
        fi
    }
    leave_quiet();
    release_the_lock();
    awake();
    atomic {
        if
        :: deadlocks == 0 -> goto finish
        :: else -> goto run_fiber
        fi
    }

no_deadlock:
    atomic { i = 0; seen = 0 }
    release_the_lock();

block:
    // A carrier that is never told of the last deadlock stays here: an invalid end state.
    atomic {
        if
        :: event[self] -> event[self] = false
        :: wakes_for_nothing > 0 -> wakes_for_nothing--
        :: deadlocks == 0 -> goto finish
        fi
    }
#if defined(BUG_AWAKE_FIRST)
    awake();
    leave_quiet();
#else
    leave_quiet();
    awake();
#endif
    goto look_for_work;

finish:
    skip
}

init {
    atomic {
        byte c = 0;
        runs[0] = true;  // the main fiber
        do
        :: c < N -> run carrier(c); c++
        :: else -> break
        od
    }
}
