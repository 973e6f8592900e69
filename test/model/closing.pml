// SPDX-License-Identifier: BSL-1.0
// Model of closing a descriptor on one thread while the reactor of another begins to wait for it:
// descriptor_record and io_closing, and begin_wait, announce and forget_closed of
// lib/reactor/reactor.cpp, on a poller that watches files (epoll). Goal: once nothing moves any
// more, whoever waits does so for the file that the number has, which the poller watches; and no
// wait was ended whose file nobody closes: neither that which the number had when the wait began,
// nor that which the kernel took it for. Method: one reactor that begins two waits, whenever
// it likes; file 1, which is closed; file 2, which gets the number then, and may be closed, too, by
// a closer who may overtake the first. The descriptors are foreign ones, where file 2 is opened
// without our knowing, or sockets of ours, whose birth ends the life before. A wait for a foreign
// one is for the file that the kernel takes the number for when it is told; a socket's fiber knows
// its file before, and does not begin to wait when that one is closed.
//
// Tried, and refuted by this model: to look for waiters before the close alone (BUG_LOOKS_ONCE), as
// it was; to count lives and to note waiters in two words (BUG_TWO_WORDS), since a reactor may learn
// the new life and have its note taken as one of the old; to end what is told of in the life that
// has begun, too (BUG_ENDS_WITHOUT_ASKING), or to take it for granted (BUG_NEVER_ASKS); to bring an
// entry up to the life that the record tells by then, and not to that in which the wait was noted
// (BUG_LEARNS_THE_LIFE_AGAIN); to trust what is watched under a foreign number
// (BUG_TRUSTS_THE_NUMBER), or under one of ours whose birth is not told (BUG_NO_BIRTH).
//
// Spin assumes sequential consistency. Of the record, which is one word, nothing more is asked than
// that: who writes it second sees what was done before by who wrote it first.

bool owned;
bool over;
byte file = 1;   // that the number has; 0: none
bool born;       // file 2 is in the hands of its owner
bool ending[3];  // files, by number, that somebody closes
byte life;       // the record ...
bool noted;      // ... in the same word
bool told;       // the reactor's list of what was closed elsewhere

byte entry_life;
byte watched;       // the file that the poller watches under the number; it may be closed
byte waits_for[2];  // files, by wait; 0: it is over, or has not begun
byte began_for[2];  // files, by wait: that the number had when it was noted

inline end_life() {
#if defined(BUG_TWO_WORDS)
    life++;
    atomic { others = noted; noted = false }
#else
    atomic { life++; others = noted; noted = false }
#endif
    if
    :: atomic { others -> told = true; others = false }
    :: atomic { !others }
    fi
}

inline look_again() {
    atomic { others = noted }
    if
    :: atomic { others -> told = true; others = false }
    :: atomic { !others }
    fi
}

proctype closer(byte f) {
    bool others;

    atomic { file == f && (!owned || f == 1 || born) -> ending[f] = true }
    end_life();
    atomic { file = 0 }
#if !defined(BUG_LOOKS_ONCE)
    look_again()
#endif
}

proctype opener() {
    bool others;

    atomic { file == 0 -> file = 2 }
#if !defined(BUG_NO_BIRTH)
    if
    :: atomic { owned }
       end_life()
    :: atomic { !owned }
    fi;
#endif
    born = true
}

inline end_waits() {
    i = 0;
    do
    :: i < 2 && waits_for[i] != 0 ->
       assert(ending[waits_for[i]] || ending[began_for[i]]);
       waits_for[i] = 0
    :: i < 2 && waits_for[i] == 0 -> i++
    :: i == 2 -> i = 0; break
    od
}

inline forget_life() {
#if defined(BUG_LEARNS_THE_LIFE_AGAIN)
    atomic { end_waits(); watched = 0; entry_life = life }
#else
    atomic { end_waits(); watched = 0; entry_life = seen }
#endif
}

proctype reactor() {
    byte i, begun, seen, taken_for;

end_sleeps:
    do
#if defined(BUG_TWO_WORDS)
    :: atomic { begun < 2 && (!owned || file == 1 || born) -> began_for[begun] = file; seen = life }
       noted = true;
#else
    :: atomic {
           begun < 2 && (!owned || file == 1 || born) ->
           began_for[begun] = file;
           seen = life;
           noted = true
       }
#endif
       if
       :: atomic { entry_life != seen }
          forget_life()
#if defined(BUG_TRUSTS_THE_NUMBER)
       :: atomic { entry_life == seen -> taken_for = file }
#else
       :: atomic {
              entry_life == seen && (owned || watched == 0 || watched == file) ->
              taken_for = file
          }
       :: atomic { entry_life == seen && !owned && watched != 0 && watched != file }
          forget_life()
#endif
       fi;
       atomic {
           if
           :: watched == 0 -> watched = file; taken_for = file  // none: EBADF
           :: watched != 0
           fi;
           waits_for[begun] = (owned && watched != 0 -> began_for[begun] : taken_for);
           taken_for = 0;
           begun++
       }
    :: atomic { told -> told = false; seen = life }
       if
#if defined(BUG_ENDS_WITHOUT_ASKING)
       :: forget_life()
#else
       :: atomic { entry_life != seen }
          forget_life()
#if defined(BUG_NEVER_ASKS)
       :: atomic { entry_life == seen }
#else
       :: atomic { entry_life == seen && (watched == 0 || watched == file) }
       :: atomic { entry_life == seen && watched != 0 && watched != file }
          forget_life()
#endif
#endif
       fi
    :: over -> break
    od
}

init {
    atomic {
        if
        :: owned = true
        :: owned = false
        fi;
        run reactor();
        run opener();
        run closer(1);
        if
        :: run closer(2)
        :: skip
        fi
    }
    timeout;  // nothing moves any more
    assert(waits_for[0] == 0 || (waits_for[0] == file && watched == file));
    assert(waits_for[1] == 0 || (waits_for[1] == file && watched == file));
    over = true
}
