/*
 * The mailbox protocol: a mailbox is asleep, awake or notified, and the router keeps
 * a list of idle workers and the number of those that are coming.
 *
 * A block in atomic is one step: one operation on an atomic word, or what the router
 * does while it holds its lock. Everything else interleaves.
 *
 * README.md has the table of transitions and of the bugs.
 */

#ifndef BUG
#define BUG 0
#endif

/* What happens beside submissions; check chooses. */
#ifndef LETTERS
#define LETTERS 0 /* messages to a worker, which interrupt it */
#endif
#ifndef LOANS
#define LOANS 0   /* callers that borrow the place of an idle worker */
#endif
#ifndef CRASHES
#define CRASHES 0 /* tasks that panic */
#endif
#ifndef STOPS
#define STOPS 0   /* workers that are stopped, and replaced: at most 1 */
#endif

#define WORKERS 2
#define BOXES 3   /* the last one is that of the replacement */
#ifndef TASKS
#define TASKS 3
#endif
#ifndef LOOKS
#define LOOKS 2 /* how often a worker looks again before it sleeps */
#endif
#define NONE 255

#define ASLEEP 0
#define AWAKE 1
#define NOTIFIED 2

/* A mailbox. */
byte status[BOXES];
bool on[BOXES];        /* a goroutine runs it or is about to; one at a time */
bool go[BOXES];        /* that goroutine has not begun */
byte slotOf[BOXES];
bool suspended[BOXES], stopped[BOXES];
bool suspends[BOXES], restarts[BOXES]; /* system messages that wait in it */
byte letters[BOXES];                   /* user messages that wait in it */
bool pills[BOXES], failures[BOXES];

/* The router, under its lock. */
byte line;             /* tasks that wait */
byte coming;           /* workers that were woken and have not come */
byte lingering = NONE; /* the one of them that was not asleep */
byte boxOf[WORKERS];
bool idle[WORKERS], isComing[WORKERS], lent[WORKERS], failing[WORKERS], out[WORKERS];

/* The supervisor's inbox. */
bool failed[WORKERS], gone[WORKERS];

byte done;             /* tasks that have ended */
byte mayCrash = CRASHES;
byte posters;          /* that have not seen their message handled */

#define anyIdle (idle[0] || idle[1])
#define hasMail(b) (suspends[b] || restarts[b] || letters[b] > 0 || pills[b] || failures[b])

/*
 * What holds whenever the lock is free (dispatch.go): somebody comes, and it is
 * nobody who has left the company.
 */
#define kept (!(line > 0 && anyIdle && coming == 0) && \
	!(isComing[0] && out[0]) && !(isComing[1] && out[1]))

inline startGoroutine(b) {
	assert(!on[b]);
	on[b] = true;
	go[b] = true
}

/* schedule sees to it that the mailbox looks for work after this. */
inline schedule(b, seen) {
	do
	:: seen = status[b];
	   if
	   :: seen == ASLEEP ->
	      atomic {
		if
		:: status[b] == ASLEEP -> status[b] = AWAKE; startGoroutine(b); break
		:: else
		fi
	      }
	   :: seen == AWAKE ->
#if BUG == 3
	      break /* it is awake: it will look */
#else
	      atomic {
		if
		:: status[b] == AWAKE -> status[b] = NOTIFIED; break
		:: else
		fi
	      }
#endif
	   :: seen == NOTIFIED -> break
	   fi
	od;
	seen = 0
}

inline scheduleIf(b, seen) {
	if
	:: b != NONE -> schedule(b, seen); b = NONE
	:: else
	fi
}

/* In the lock. */
inline wakeOne(s, wake) {
	idle[s] = false;
	isComing[s] = true;
	coming++;
	wake = boxOf[s]
}

inline rouse(wake) {
	if
	:: coming == 0 && line > 0 && idle[0] -> wakeOne(0, wake)
	:: coming == 0 && line > 0 && idle[1] -> wakeOne(1, wake)
	:: else
	fi
}

inline expected(s) {
	if
	:: isComing[s] -> isComing[s] = false; coming--; lingering = NONE
	:: else
	fi
}

/* A worker takes a task, or waits a little, or is idle. */
inline next(s, mayLinger, wake, seen, got, again) {
	atomic {
		expected(s);
		out[s] = false;
		idle[s] = false;
		got = false;
		again = false;
		if
		:: lent[s] || failing[s] -> rouse(wake)
		:: !lent[s] && !failing[s] && line > 0 -> line--; got = true; rouse(wake)
		:: !lent[s] && !failing[s] && line == 0 ->
		   if
		   :: mayLinger && coming == 0 -> /* linger */
		      isComing[s] = true; coming++; lingering = s; again = true
		   :: else ->
#if BUG != 2 /* park */
		      idle[s] = true
#endif
		   fi
		fi;
		assert(kept)
	}
#if BUG == 2
	/* It looked under the lock, but is pushed under the next one. */
	atomic {
		if
		:: !got && !again && !lent[s] && !failing[s] -> idle[s] = true
		:: else
		fi
	}
#endif
	scheduleIf(wake, seen)
}

/* A worker that fails or stops leaves the company. */
inline withdraw(s, b, wake, seen) {
	atomic {
		if
		:: boxOf[s] == b ->
		   idle[s] = false;
#if BUG != 4
		   expected(s);
#endif
		   out[s] = true;
		   failing[s] = false
		:: else
		fi;
		rouse(wake);
		assert(kept)
	}
	scheduleIf(wake, seen)
}

/* stops, as a handler of the pill or on the goroutine of stopIdle. */
inline stopSelf(s, b, wake, seen) {
	stopped[b] = true;
	withdraw(s, b, wake, seen);
	gone[s] = true
}

/* The goroutines of a mailbox, one after another. */
proctype mailbox(byte me) {
	byte wake = NONE, seen, left;
	bool got, again;

end:	do
	:: atomic { go[me] -> go[me] = false }
	   do
	   :: status[me] = AWAKE;
	      do
	      :: atomic { suspends[me] -> suspends[me] = false; suspended[me] = true }
	         withdraw(slotOf[me], me, wake, seen)
	      :: atomic { !suspends[me] && restarts[me] -> restarts[me] = false; suspended[me] = false }
	      :: atomic { !suspends[me] && !restarts[me] && suspended[me] -> break }
	      :: atomic { !suspends[me] && !restarts[me] && !suspended[me] && letters[me] > 0 ->
			letters[me]-- }
	      :: atomic { !suspends[me] && !restarts[me] && !suspended[me] && pills[me] -> pills[me] = false }
	         if
	         :: stopped[me]
	         :: else -> stopSelf(slotOf[me], me, wake, seen)
	         fi
	      :: atomic { !suspends[me] && !restarts[me] && !suspended[me] && failures[me] -> failures[me] = false }
	         if
	         :: stopped[me]
	         :: else -> goto fails
	         fi
	      :: atomic { !hasMail(me) && stopped[me] -> break }
	      :: atomic { !hasMail(me) && !suspended[me] && !stopped[me] -> left = LOOKS } /* pull */
	         next(slotOf[me], true, wake, seen, got, again);
	         do
	         :: again && status[me] != NOTIFIED ->
	            next(slotOf[me], left > 1, wake, seen, got, again);
	            left--
	         :: atomic { else -> again = false; left = 0; break }
	         od;
	         if
	         :: got ->
	            atomic {
			got = false;
			done++;
			if
			:: mayCrash > 0 -> mayCrash--; goto fails
			:: true
			fi
	            }
	         :: else -> break
	         fi
	      od;
	      /* sleep */
#if BUG == 1
	      atomic { status[me] = ASLEEP; on[me] = false; break }
#else
	      atomic {
		if
		:: status[me] == AWAKE -> status[me] = ASLEEP; on[me] = false; break
		:: else
		fi
	      }
#endif
	   od
	od;

fails:	/* The supervisor decides; the mailbox goes on, on another goroutine. */
	suspends[me] = true;
	schedule(me, seen);
	failed[slotOf[me]] = true;
	go[me] = true;
	goto end
}

proctype submitter(byte n) {
	byte wake = NONE, seen;
	do
	:: n > 0 ->
	   atomic { /* submit */ n--; line++; rouse(wake); assert(kept) }
	   scheduleIf(wake, seen)
	:: else -> break
	od;
	done == TASKS /* like Get: for ever, if a wake-up was lost */
}

proctype lender() {
	byte s, wake = NONE, seen, b = NONE;
	atomic { /* lend */
		if
		:: line == 0 && lingering != NONE -> s = lingering
		:: line == 0 && lingering == NONE && idle[0] -> s = 0
		:: line == 0 && lingering == NONE && idle[1] -> s = 1
		:: else -> goto over
		fi;
		idle[s] = false;
		expected(s);
		lent[s] = true;
		assert(kept)
	}
	atomic { /* giveBack */
		lent[s] = false;
		if
		:: mayCrash > 0 -> mayCrash--; failing[s] = true; b = boxOf[s]
		:: !out[s] -> idle[s] = true
		:: out[s]
		fi;
#if BUG != 5
		rouse(wake);
#endif
		assert(kept)
	}
	scheduleIf(wake, seen);
	if
	:: b != NONE -> failures[b] = true; schedule(b, seen)
	:: else
	fi;
over:	skip
}

proctype messenger() {
	byte b, seen;
	if
	:: b = 0
	:: b = 1
	fi;
	letters[b]++;
	schedule(b, seen);
	letters[b] == 0;
	posters--
}

/* The supervisor gives a pill: an idle worker takes it on the supervisor's goroutine. */
proctype stopper() {
	byte s, b, wake = NONE, seen;
	bool calm;
	if
	:: s = 0
	:: s = 1
	fi;
	b = s;
	atomic { /* stopIdle */
		if
		:: status[b] == ASLEEP -> status[b] = AWAKE; assert(!on[b]); on[b] = true
		:: else -> goto post
		fi
	}
	calm = !suspended[b] && !hasMail(b);
	if
	:: calm -> stopSelf(s, b, wake, seen)
	:: else
	fi;
	atomic {
#if BUG == 6
		if
		:: calm -> status[b] = ASLEEP; on[b] = false
		:: else -> go[b] = true
		fi
#else
		if
		:: calm && status[b] == AWAKE -> status[b] = ASLEEP; on[b] = false
		:: else -> go[b] = true
		fi
#endif
	}
	if
	:: calm -> goto over
	:: else
	fi;
post:	pills[b] = true;
	schedule(b, seen);
	!pills[b];
over:	posters--
}

proctype supervisor() {
	byte s, seen;
end:	do
	:: atomic { failed[0] -> failed[0] = false; s = 0 } goto restart
	:: atomic { failed[1] -> failed[1] = false; s = 1 } goto restart
	:: atomic { gone[0] -> gone[0] = false; s = 0 } goto replace
	:: atomic { gone[1] -> gone[1] = false; s = 1 } goto replace
	od;
restart:
	restarts[boxOf[s]] = true;
	schedule(boxOf[s], seen);
	s = 0;
	goto end;
replace:
	atomic { slotOf[2] = s; boxOf[s] = 2; failing[s] = false }
	atomic { startGoroutine(2) } /* notified until now */
	s = 0;
	goto end
}

init {
	byte i;
	atomic {
		slotOf[1] = 1;
		boxOf[1] = 1;
		status[0] = NOTIFIED; startGoroutine(0); run mailbox(0);
		status[1] = NOTIFIED; startGoroutine(1); run mailbox(1);
		status[2] = NOTIFIED;
#if STOPS
		run mailbox(2);
		posters++;
		run stopper();
#endif
#if STOPS || CRASHES
		run supervisor();
#endif
#if LETTERS
		for (i : 1 .. LETTERS) { posters++; run messenger() }
#endif
#if LOANS
		for (i : 1 .. LOANS) { run lender() }
#endif
		run submitter(1);
		run submitter(TASKS - 1)
	}
}

ltl served { <> (done == TASKS && posters == 0) }
