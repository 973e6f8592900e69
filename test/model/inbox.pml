// SPDX-License-Identifier: BSL-1.0
// Model of lib/core/inbox.hpp and of the carrier's loop around it (scheduler::wait_for_ready).
// Goal: every item is delivered once, in the order of posting; a carrier never sleeps for ever with
// an item in its inbox; a sleep is ended by one poster at most, so that a carrier that is awake
// costs no system call; everybody comes to an end. Method: three posters, each of which posts its
// item again as soon as that was delivered (as fiber_control's cancel_item is), one carrier, and a
// poller that may return for another reason at any time.
//
// One step here is one atomic operation there, or a run of steps on what nobody else can see. What
// is asked of the memory order, since spin assumes sequential consistency: post() writes the item's
// `next`, and what the item is about, before a compare-exchange that releases; deliver_all() takes
// the list by an exchange that acquires and reads them after it. In between the word is changed by
// compare-exchanges alone, which continue the release sequence, so that the exchange synchronises
// with every post whose item it takes. That the carrier sleeps is told by the word itself, whose
// modifications all threads see in one order, so lost wake-ups are a matter of that word and
// not of orderings; what wakes the poller is a system call, after the compare-exchange that it
// depends on.

#define POSTERS 3
#define ROUNDS 2      // posts of each
#define null 0
#define asleep 255    // else: 1 + the poster whose item it is

byte head = null;
byte next[POSTERS];
bool event;                   // the poller's sticky wake-up: an eventfd
byte other_reasons = 1;       // how often the poller returns with none
byte weak_failures = 1;       // how often compare_exchange_weak fails for nothing

// Read by the assertions, and by posters that wait for their item.
bool in_use[POSTERS];         // posted and not yet delivered: the inbox's
byte order[POSTERS];          // in which place it was posted
byte posted;
byte delivered;
bool sleeps;
byte wakers;                  // posters that have ended the present sleep
byte rounds[POSTERS];

// What a poster does to an item that is still its own.
inline link() {
    assert(!in_use[self]);
    if
#if defined(BUG_POST_LINKS_ASLEEP)
    :: true -> next[self] = seen
#else
    :: seen == asleep -> next[self] = null
    :: else -> next[self] = seen
#endif
    fi
}

inline push() {
    head = self + 1;
    in_use[self] = true;
    order[self] = posted;
    posted++
}

proctype poster(byte self) {
    byte seen;
    bool found;

again:
    // post_to_awake(): as if the inbox had been found empty.
    atomic { seen = null; link() }
    do
    :: atomic {
           if
           :: head == seen -> push(); break
           :: head != seen && head == asleep -> goto asleep_then
           :: head != seen && head != asleep -> seen = head; link()
           :: head == seen && weak_failures > 0 -> weak_failures--
           fi }
    od;
    goto posted_it;

asleep_then:
    // post(), which may find that it is awake by now.
    atomic { seen = head; link() }
    do
    :: atomic {
           if
           :: head == seen ->
              push();
              if
              :: seen == asleep -> wakers++; assert(sleeps && wakers == 1)
              :: else
              fi;
              break
           :: head != seen -> seen = head; link()
           :: head == seen && weak_failures > 0 -> weak_failures--
           fi }
    od;
#if defined(BUG_POST_LOOKS_AGAIN)
    found = (head == asleep);
#elif defined(BUG_WAKES_THE_FIRST_ITEM)
    found = (seen == null);
#else
    found = (seen == asleep);
#endif
    if
    :: found -> event = true
    :: else
    fi;

posted_it:
    atomic {
        !in_use[self];  // delivered: the item is ours again
        seen = 0;
        found = false;
        rounds[self]++;
        if
        :: rounds[self] < ROUNDS -> goto again
        :: else
        fi
    }
}

inline deliver_all() {
    atomic { at = head; head = null; assert(at != asleep) }
    // Reversed on the spot: the items are the carrier's alone, until each was delivered.
    atomic {
        reversed = null;
        do
        :: at != null ->
           assert(at != asleep);
           following = next[at - 1];
           next[at - 1] = reversed;
           reversed = at;
           at = following
        :: else -> break
        od;
        at = reversed;
        reversed = null;
        following = null
    }
    do
    :: at != null ->
       atomic {
           following = next[at - 1];
           assert(in_use[at - 1]);
           assert(order[at - 1] == delivered);
           delivered++;
           order[at - 1] = 0
       }
#if defined(BUG_READS_NEXT_AFTER_DELIVERY)
       in_use[at - 1] = false;
       atomic { at = next[at - 1]; following = null }
#else
       atomic { in_use[at - 1] = false; at = following; following = null }
#endif
    :: else -> break
    od
}

active proctype carrier() {
    byte at, following, reversed;
    bool slept = true;

    do
    :: if
#if defined(BUG_LOOKS_ONLY_AFTER_SLEEP)
       :: head != null && slept -> deliver_all(); slept = false
#else
       :: head != null -> deliver_all()
#endif
       :: else
       fi;
       if
       :: delivered == POSTERS * ROUNDS -> break
       :: else
       fi;
       atomic {  // try_sleep
           if
#if defined(BUG_SLEEPS_WITHOUT_LOOK)
           :: true ->
#else
           :: head == null ->
#endif
              head = asleep; sleeps = true; wakers = 0
           :: else -> goto round_end
           fi }
       // A carrier that nobody wakes stays here: an invalid end state.
#if defined(BUG_POLLER_FORGETS)
       event = false;
#endif
       atomic {
           if
           :: event -> event = false
           :: other_reasons > 0 -> other_reasons--
           fi }
       atomic {  // awake
           sleeps = false;
           slept = true;
           if
#if defined(BUG_AWAKE_STORES)
           :: true -> head = null
#else
           :: head == asleep -> head = null
           :: else
#endif
           fi }
round_end:
       skip
    od
}

init {
    atomic { run poster(0); run poster(1); run poster(2) }
}
