// SPDX-License-Identifier: BSL-1.0
// Model of how carriers call each other to work that any of them may start: call_idle, steal_for,
// go_idle and come_back of lib/core/carrier_group.cpp, and give_unstarted_to of travel.cpp. Goal:
// once nothing moves any more, no unstarted fiber is left while a carrier sleeps; and the item by
// which a carrier is called is never posted while it is in an inbox or on its way there. Method: N
// carriers whose fibers spawn fibers, and then wait or compute for ever, so that what they have
// spawned has to be taken by somebody else; posters that are slow; and a poller that may return for
// another reason.
//
// Who finds `called` true leaves the matter to the one that was called, so each way in which that
// one may fail to see to it is a call lost. Tried, and refuted by this model: that a thief calls
// for more only if it took several (BUG_THIEF_LEAVES_THE_REST); that a caller who finds nobody goes
// (BUG_FINDS_NOBODY_AND_GOES), though others have relied on it; that the called one answers by the
// item alone (BUG_ITEM_ANSWERS), since it may have come back by itself, and compute when the item
// comes. But then it may be idle again before the item comes, and be called again by the same item
// (BUG_IDLE_BEFORE_THE_ITEM): so it does not say that it is idle while one is on its way, which
// will wake it anyhow. And that a thief puts all that it takes into its queue, from where others
// may take it before it does, and so on for ever (BUG_THIEF_QUEUES_ALL).
//
// Spin assumes sequential consistency; idle, the count of the idle ones, called and the counts of
// unstarted fibers are sequentially consistent in the code, too. What is asked of the inbox is in
// inbox.pml: here it holds the item or does not.

#define N 3
#define SPAWNS 3

byte unstarted[N];
bool idle[N];
byte idle_count;
bool called;
bool item[N];        // in the inbox
bool on_its_way[N];  // and about to be
byte spawns = SPAWNS;
byte computing;      // carriers whose fiber never waits again
#if defined(CYCLES)
byte wakes_for_nothing = 0;  // the search for cycles has twice the states
#else
byte wakes_for_nothing = 1;
#endif

inline add_unstarted() {
#if defined(BUG_CALLS_BEFORE_IT_ADDS)
    call_idle();
    atomic { unstarted[self] = unstarted[self] + adding; adding = 0 }
#else
    atomic { unstarted[self] = unstarted[self] + adding; adding = 0 }
    call_idle()
#endif
}

inline anything_unstarted() {
    any = false;
    do
    :: atomic { i < N && unstarted[i] > 0 -> any = true; i = 0; break }
    :: atomic { i < N && unstarted[i] == 0 -> i++ }
    :: atomic { i == N -> i = 0; break }
    od
}

inline call_idle() {
    do
    :: atomic { idle_count == 0 -> break }
    :: atomic {
           idle_count != 0 ->
           if
           :: called -> break
           :: else -> called = true
           fi
       }
       // call_one
       do
       :: atomic { i < N && !idle[(self + 1 + i) % N] -> i++ }
       :: atomic {
              i < N && idle[(self + 1 + i) % N] ->
              i = (self + 1 + i) % N;
              idle[i] = false;
              assert(!item[i] && !on_its_way[i]);
              on_its_way[i] = true;
              any = true
          }
          idle_count--;
          atomic { on_its_way[i] = false; item[i] = true; i = 0; break }
       :: atomic { i == N -> i = 0; break }
       od;
       if
       :: atomic { any -> any = false; break }
       :: atomic { !any -> called = false }
       fi;
#if defined(BUG_FINDS_NOBODY_AND_GOES)
       break
#else
       anything_unstarted();
       if
       :: atomic { any -> any = false }
       :: atomic { !any -> break }
       fi;
progress_while_one_is_between_two_steps:
       skip
#endif
    od
}

proctype carrier(byte self) {
    byte i, adding;
    bool any, says_idle, expects_item;

    if
    :: self == 2 -> goto look_for_work
    :: else
    fi;

run_fiber:
    do
    :: atomic { spawns > 0 -> spawns--; adding = 1 }
       add_unstarted()
    :: atomic { goto look_for_work }                  // the fiber waits
    :: atomic { computing++; goto finish }            // for ever
    od;

look_for_work:
    atomic {
        if
        :: item[self] ->
           item[self] = false;
           expects_item = false;
#if defined(BUG_ITEM_ANSWERS)
           called = false
#endif
        :: else
        fi
    }
    atomic {
        if
        :: unstarted[self] > 0 -> unstarted[self]--; goto run_fiber
        :: else -> i = 1
        fi
    }
    // steal_for: half of what the first one has that has any
    do
    :: atomic {
           i < N && unstarted[(self + i) % N] > 0 ->
           i = (self + i) % N;
           adding = (unstarted[i] + 1) / 2;
           unstarted[i] = unstarted[i] - adding
       }
#if defined(BUG_THIEF_QUEUES_ALL)
       atomic { unstarted[self] = unstarted[self] + adding; any = adding > 1; adding = 0 }
#else
       // One is its own at once.
       atomic { unstarted[self] = unstarted[self] + adding - 1; any = adding > 1; adding = 0 }
#endif
#if defined(BUG_THIEF_LEAVES_THE_REST)
       i = 0;
#else
       atomic { any = any || unstarted[i] > 0; i = 0 }
#endif
       if
       :: atomic { any -> any = false }
          call_idle()
       :: atomic { !any }
       fi;
#if defined(BUG_THIEF_QUEUES_ALL)
       goto look_for_work
#else
       goto run_fiber
#endif
    :: atomic { i < N && unstarted[(self + i) % N] == 0 -> i++ }
    :: atomic { i == N -> i = 0; break }
    od;
    if
    :: atomic { item[self] -> goto look_for_work }  // try_sleep
    :: atomic { !item[self] }
    fi;

    // go_idle
#if defined(BUG_LOOKS_BEFORE_IT_SAYS_IDLE)
    anything_unstarted();
#endif
#if defined(BUG_IDLE_BEFORE_THE_ITEM)
    atomic { says_idle = true; idle[self] = true }
    idle_count++;
#else
    if
    :: atomic { !expects_item -> says_idle = true; idle[self] = true }
       idle_count++
    :: atomic { expects_item }
    fi;
#endif
#if !defined(BUG_LOOKS_BEFORE_IT_SAYS_IDLE)
    anything_unstarted();
#endif
    if
    :: atomic { any -> any = false }
    :: atomic { !any }
end_asleep:
       atomic {
           if
           :: item[self]
           :: wakes_for_nothing > 0 -> wakes_for_nothing--
           fi
       }
    fi;

    // come_back
    if
    :: atomic { says_idle && idle[self] -> says_idle = false; idle[self] = false }
       idle_count--
    :: atomic { says_idle && !idle[self] -> says_idle = false; expects_item = true }
#if !defined(BUG_ITEM_ANSWERS)
       called = false
#endif
    :: atomic { !says_idle }
    fi;
    goto look_for_work;

finish:
    skip
}

init {
    atomic { run carrier(0); run carrier(1); run carrier(2) }
    timeout;  // nothing moves any more
    assert(computing == N || unstarted[0] + unstarted[1] + unstarted[2] == 0)
}
