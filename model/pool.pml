/*
 * The pool: batches that are taken, begun, stolen from and given back; tasks that
 * end, are cancelled, or panic; Close, Terminate, and the way to the end.
 *
 * The mailbox is only a bit here, looks: whoever sets it may rely on the worker to
 * look for work afterwards. That is what mailbox.pml shows. A message that is sent
 * when the lock is released is sent in the same step: it may be received at any time.
 *
 * README.md has the table of transitions and of the bugs.
 */

#ifndef BUG
#define BUG 0
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef CANCELS
#define CANCELS 1
#endif

#ifndef LETTERS
#define LETTERS 0 /* a message to a worker, which interrupts it between two tasks */
#endif

#ifndef TASKS
#define TASKS 3
#endif
#ifndef TERMINATES
#define TERMINATES 1 /* else the pool is only closed */
#endif
#define WORKERS 2
#define NONE 255
#ifndef FUNCTION
#define FUNCTION 1 /* this one is a function that nobody waits for: it has no state to claim */
#endif

#define bit(t) (1 << (t))
#define place(w, i) places[(w) * TASKS + (i)]

/* The states of a task; those of a pool. */
#define CREATED 0
#define QUEUED 1
#define RUNNING 2
#define DECIDED 3

#define OPEN 0
#define CLOSING 1
#define TERMINATED 2

byte phase[TASKS];
byte ends[TASKS];

/* The router, under mu. */
bool mu;               /* held over more than one step */
byte state, outstanding, coming, starting;
byte line;             /* a set: the oldest is taken first */
bool drained, stopped, ended;
bool idle[WORKERS], isComing[WORKERS], isStarting[WORKERS], started[WORKERS];
bool holds[WORKERS], sharing[WORKERS]; /* a batch; one with places that are not begun */
byte unreported[WORKERS];

/* The batch of each worker: its places, and the word that says how far it is. */
byte places[WORKERS * TASKS];
byte begun[WORKERS], end_[WORKERS];

/* Mail. */
bool looks[WORKERS], pill[WORKERS], stopIt[WORKERS], restart[WORKERS];
bool start[WORKERS], failed[WORKERS], gone[WORKERS], saysDrained, saysTerminate;

/* The supervisor. */
bool hired[WORKERS], resting[WORKERS], stopping, sawDrained;
byte alive;

byte mayCrash = CRASHES;

#define rest(w) (sharing[w] && end_[w] > begun[w])
#define work (line != 0 || rest(0) || rest(1))
#define kept !(work && (idle[0] || idle[1]) && coming == 0)

/* One end for each task. */
inline endTask(t) {
	phase[t] = DECIDED;
	ends[t]++;
	assert(ends[t] == 1)
}

/* In the lock, all of these. */
inline wakeOne(w) {
	idle[w] = false; isComing[w] = true; coming++; looks[w] = true
}

inline startOne(w) {
	started[w] = true; isStarting[w] = true; starting++; start[w] = true
}

inline rouse() {
	if
	:: coming == 0 && work && idle[0] -> wakeOne(0)
	:: coming == 0 && work && !idle[0] && idle[1] -> wakeOne(1)
	:: coming == 0 && work && !idle[0] && !idle[1] && (starting == 0 || line != 0) ->
	   if
	   :: !started[0] -> startOne(0)
	   :: started[0] && !started[1] -> startOne(1)
	   :: else
	   fi
	:: else
	fi
}

inline checkEnded() {
	if
	:: stopped && outstanding == 0 -> ended = true
	:: else
	fi
}

inline checkDrained() {
	if
	:: state != OPEN && outstanding == 0 ->
	   if
	   :: !drained -> drained = true; saysDrained = !stopped
	   :: else
	   fi;
	   checkEnded()
	:: else
	fi
}

inline arrived(w) {
	outstanding = outstanding - unreported[w];
	unreported[w] = 0;
	expected(w)
}

inline expected(w) {
	if
	:: isComing[w] -> isComing[w] = false; coming--
	:: else
	fi;
	if
	:: isStarting[w] -> isStarting[w] = false; starting--
	:: else
	fi
}

inline drop(w) {
	holds[w] = false; sharing[w] = false; begun[w] = 0; end_[w] = 0
}

inline hand(w, n) {
	begun[w] = 1; end_[w] = n; holds[w] = true; sharing[w] = n > 1
}

/* What worker w has not begun goes back to the line. */
inline takeBack(w, i) {
	i = begun[w];
	do
	:: i < end_[w] ->
	   if
	   :: place(w, i) != NONE -> line = line | bit(place(w, i)); place(w, i) = NONE
	   :: else
	   fi;
	   i++
	:: else -> break
	od;
	if
	:: end_[w] > begun[w] -> end_[w] = begun[w]
	:: else
	fi;
	sharing[w] = false;
	i = 0
}

inline withdraw(w, i) {
	atomic {
		!mu;
		idle[w] = false;
#if BUG == 5
		expected(w);
#else
		arrived(w);
#endif
		if
		:: holds[w] ->
#if BUG != 1
		   takeBack(w, i);
#endif
		   drop(w)
		:: else
		fi;
		rouse();
		checkDrained();
		assert(kept)
	}
}

/* In place of its function: cancelled, terminated. */
inline settle(t, mine) {
	atomic {
		if
		:: phase[t] == QUEUED || phase[t] == RUNNING -> endTask(t); mine = true
		:: else -> mine = false
		fi
	}
	if
	:: mine ->
	   atomic { /* leave */
		!mu;
		outstanding--;
		mine = false;
#if BUG != 2
		checkDrained()
#endif
	   }
	:: else
	fi
}

proctype worker(byte w) {
	byte at = NONE, n, low, i, seen, seenEnd;
	bool ok;

look:	atomic { looks[w] -> looks[w] = false }
everything:
	if
	:: atomic { stopIt[w] || pill[w] -> goto stops }
	:: atomic { else }
	fi;

	/* next */
	atomic {
		!mu;
		mu = true;
		arrived(w);
		idle[w] = false;
		ok = false;
		if
		:: holds[w] -> /* it was interrupted, or is through */
		   begun[w]++;
		   if
		   :: begun[w] <= end_[w] -> at = place(w, begun[w] - 1); ok = true
		   :: else -> drop(w)
		   fi
		:: else
		fi;
		if
		:: !ok && line != 0 -> /* take */
		   n = 0;
		   i = 0;
		   do
		   :: i < TASKS && (line & bit(i)) ->
		      place(w, n) = i;
		      line = line & ~bit(i);
		      n++;
		      i++;
		      if
		      :: true
		      :: break
		      fi
		   :: i < TASKS && !(line & bit(i)) -> i++
		   :: i == TASKS -> break
		   od;
		   hand(w, n);
		   at = place(w, 0);
		   ok = true;
		   n = 0;
		   i = 0
		:: else
		fi;
		if
		:: !ok && rest(1 - w) -> n = (end_[1 - w] - begun[1 - w] + 1) / 2
		:: else -> goto decided
		fi
	}
	/* steal: the other one may begin a place between any two of these steps */
	atomic {
		low = begun[1 - w];
		if
		:: low >= end_[1 - w] -> n = 0
		:: low < end_[1 - w] && n > end_[1 - w] - low -> n = end_[1 - w] - low
		:: else
		fi;
		begun[1 - w] = low + n
	}
	atomic {
		if
		:: n > 0 ->
		   i = 0;
		   do
		   :: i < n -> place(w, i) = place(1 - w, low + i); place(1 - w, low + i) = NONE; i++
		   :: else -> break
		   od;
		   place(1 - w, low + n - 1) = place(1 - w, low - 1);
		   hand(w, n);
		   at = place(w, 0);
		   ok = true
		:: else -> sharing[1 - w] = false
		fi;
		n = 0;
		low = 0;
		i = 0
	}
decided:
	atomic {
		mu = false;
		if
		:: ok -> rouse()
		:: else -> idle[w] = true /* park */
		fi;
		checkDrained();
		assert(kept)
	}
	if
	:: atomic { !ok -> goto look }
	:: atomic { ok -> ok = false }
	fi;

perform:
	if
	:: atomic { at == FUNCTION -> phase[FUNCTION] = RUNNING }
	   if
	   :: atomic { mayCrash > 0 -> mayCrash--; endTask(FUNCTION); unreported[w]++; goto fails }
	   :: atomic { endTask(FUNCTION); unreported[w]++ }
	   fi
	:: atomic { at == NONE } /* taken back */
	:: atomic { at != FUNCTION && at != NONE && phase[at] != QUEUED } /* pass */
	:: atomic { at != FUNCTION && at != NONE && phase[at] == QUEUED -> phase[at] = RUNNING /* claim */ }
#if BUG == 4
	   ok = phase[at] == RUNNING;
#else
	   atomic {
		ok = phase[at] == RUNNING;
#endif
		if
		:: ok -> endTask(at); unreported[w]++; ok = false
		:: else /* it has its outcome: this one is late */
		fi
#if BUG != 4
	   }
#endif
	   if
	   :: atomic { mayCrash > 0 -> mayCrash--; goto fails }
	   :: true
	   fi
	fi;
	at = NONE;
	if
	:: atomic { looks[w] -> looks[w] = false; goto everything } /* interrupted */
	:: atomic { else }
	fi;
	/* begin */
#if BUG == 3
	atomic { seen = begun[w] + 1; seenEnd = end_[w] }
	atomic { begun[w] = seen; end_[w] = seenEnd }
#else
	atomic { begun[w]++; seen = begun[w]; seenEnd = end_[w] }
#endif
	if
	:: atomic { seen <= seenEnd -> at = place(w, seen - 1); seen = 0; seenEnd = 0; goto perform }
	:: atomic { else -> seen = 0; seenEnd = 0; goto everything }
	fi;

fails:	atomic { at = NONE; failed[w] = true }
	withdraw(w, i);
	if
	:: atomic { restart[w] -> restart[w] = false; goto everything }
	:: atomic { stopIt[w] -> goto stops }
	fi;

stops:	withdraw(w, i);
	gone[w] = true
}

proctype submitter() {
	byte t;
	do
	:: t < TASKS ->
	   atomic {
		!mu; /* submit */
		if
		:: state != OPEN -> break /* refused */
		:: else
		fi;
		do
		:: t < TASKS ->
		   phase[t] = QUEUED; outstanding++; line = line | bit(t); t++;
		   if
		   :: true /* several under one lock */
		   :: break
		   fi
		:: else -> break
		od;
		rouse();
		assert(kept)
	   }
	:: else -> break
	od
}

proctype canceller() {
	byte t;
	bool mine;
	if
	:: t = 0
#if TASKS > 2
	:: t = TASKS - 1
#endif
	fi;
	settle(t, mine)
}

#if LETTERS
proctype messenger() {
	if
	:: atomic { hired[0] -> looks[0] = true }
	:: atomic { hired[1] -> looks[1] = true }
	:: state != OPEN
	fi
}
#endif

inline close() {
	atomic {
		!mu;
		if
		:: state == OPEN -> state = CLOSING; checkDrained()
		:: else
		fi
	}
}

inline terminate(t, doomed, mine) {
	atomic {
		!mu;
		if
		:: state == TERMINATED -> goto over
		:: else
		fi;
		mu = true;
		state = TERMINATED
	}
	/* gather: workers may begin places meanwhile */
	atomic { takeBack(0, t) }
	atomic { takeBack(1, t) }
	atomic {
		if
		:: line & bit(FUNCTION) ->
		   line = line & ~bit(FUNCTION); endTask(FUNCTION); outstanding--
		:: else
		fi;
		doomed = line;
		for (t : 0 .. WORKERS - 1) { /* what runs */
			if
			:: holds[t] && begun[t] <= end_[t] && place(t, begun[t] - 1) != NONE &&
			   place(t, begun[t] - 1) != FUNCTION ->
			   doomed = doomed | bit(place(t, begun[t] - 1))
			:: else
			fi
		}
		t = 0;
		saysTerminate = !stopped;
		checkDrained();
		mu = false
	}
	do
	:: t < TASKS ->
	   if
	   :: doomed & bit(t) -> settle(t, mine)
	   :: else
	   fi;
	   t++
	:: else -> break
	od;
	atomic { /* clearLine */
		!mu;
		t = 0;
		do
		:: t < TASKS ->
		   if
		   :: phase[t] != QUEUED -> line = line & ~bit(t)
		   :: else
		   fi;
		   t++
		:: else -> break
		od
	}
}

proctype owner() {
	byte t, doomed;
	bool mine;
#if TERMINATES
	if
	:: close()
	:: true
	fi;
	if
	:: state == OPEN
	:: state != OPEN -> goto over
	:: state != OPEN
	fi;
	terminate(t, doomed, mine);
over:	skip
#else
	close()
#endif
}

inline poisonWorkers(w) {
	if
	:: !stopping ->
	   stopping = true;
	   for (w : 0 .. WORKERS - 1) {
		if
		:: hired[w] && resting[w] -> resting[w] = false; stopIt[w] = true; looks[w] = true
		:: hired[w] && !resting[w] -> pill[w] = true; looks[w] = true
		:: else
		fi
	   }
	   w = 0
	:: else
	fi
}

#define who(c) if :: c[0] -> w = 0 :: c[1] -> w = 1 fi

proctype supervisor() {
	byte w;
	do
	:: atomic { /* hire */ start[0] || start[1] -> who(start); start[w] = false;
		if
		:: !stopping && !hired[w] -> hired[w] = true; alive++; looks[w] = true; run worker(w)
		:: else
		fi; w = 0 }
	:: atomic { failed[0] || failed[1] -> who(failed); failed[w] = false;
		if
		:: stopping -> stopIt[w] = true; looks[w] = true
		:: !stopping -> restart[w] = true; looks[w] = true
		:: !stopping -> resting[w] = true
		fi; w = 0 }
	:: atomic { /* rested */ resting[0] || resting[1] -> who(resting);
		resting[w] = false; restart[w] = true; looks[w] = true; w = 0 }
	:: atomic { gone[0] || gone[1] -> who(gone); gone[w] = false; hired[w] = false; alive--; w = 0 }
	:: atomic { saysDrained -> saysDrained = false; sawDrained = true; poisonWorkers(w) }
	:: atomic { saysTerminate -> saysTerminate = false; poisonWorkers(w) }
	/* leaveIfDone */
#if BUG == 6
	:: atomic { stopping && alive == 0 -> break }
#else
	:: atomic { stopping && sawDrained && alive == 0 -> break }
#endif
	od;
	/* detach */
	atomic { !mu; stopped = true; state = TERMINATED; assert(outstanding == 0); checkEnded() }
}

init {
	byte t;
	atomic {
		run supervisor();
		run submitter();
		run owner();
#if CANCELS
		run canceller();
#endif
#if LETTERS
		run messenger();
#endif
	}
	_nr_pr == 1; /* everybody is through */
	assert(ended && alive == 0 && outstanding == 0);
	for (t : 0 .. TASKS - 1) {
		assert((phase[t] == CREATED && ends[t] == 0) || (phase[t] == DECIDED && ends[t] == 1))
	}
}

ltl shutdown { <> (ended && alive == 0) }
