/*
 * The places of the workers: they are closed and opened while tasks come, run and wait
 * for one worker alone; workers leave since their place is closed, or since they have
 * been idle for too long; places are lent, workers fail and are stopped, and the pool is
 * closed and terminated in between.
 *
 * A mailbox is a bit here, looks, as in pool.pml; a batch is the set of what has not
 * been begun of it, rest, for that no task of a batch is lost or begun twice is what
 * pool.pml shows. So each block in atomic is what the router does under one lock, or one
 * step of somebody else.
 *
 * README.md has the table of transitions and of the bugs.
 */

#ifndef BUG
#define BUG 0
#endif

/* What happens beside submissions, and how often; check chooses. */
#ifndef RESIZES
#define RESIZES 2 /* a place is closed or opened */
#endif
#ifndef EXPIRES
#define EXPIRES 0 /* a worker has been idle for too long */
#endif
#ifndef LOANS
#define LOANS 0   /* a caller borrows the place of an idle worker: at most 1 */
#endif
#ifndef CRASHES
#define CRASHES 0 /* a task panics */
#endif
#ifndef STOPS
#define STOPS 0   /* a worker is stopped from outside */
#endif
#ifndef LETTERS
#define LETTERS 0 /* a message to a worker, which interrupts it between two tasks */
#endif
#ifndef DISCHARGES
#define DISCHARGES 0 /* a worker that fails may be stopped for it, and its place closed */
#endif
#ifndef OWN
#define OWN 1     /* tasks may be for one worker; else all are for any */
#endif
#ifndef MIN
#define MIN 0     /* workers that stay, however long they are idle */
#endif
#ifndef TASKS
#define TASKS 2
#endif

/* How it ends. */
#define CLOSES 0     /* the pool is closed at any time */
#define TERMINATES 1 /* or terminated, closed or not */
#define CALM 2       /* or closed when nothing happens any more */
#ifndef END
#define END CLOSES
#endif

#define WORKERS 2
#define ALL (TASKS + LOANS)
#define NONE 255
#define bit(t) (1 << (t))

/* The states of a task; those of a pool. */
#define CREATED 0
#define QUEUED 1
#define RUNNING 2
#define DECIDED 3

#define OPEN 0
#define CLOSING 1
#define TERMINATED 2

byte phase[ALL];
byte ends[ALL];

/* The router, under its lock. */
byte state, outstanding, attendants, coming, starting;
byte lingering = NONE;
byte unstarted;        /* all places before it are started or closed */
byte line;             /* a set: for any worker */
byte fixed[WORKERS];   /* for this worker alone, whatever happens */
byte routed[WORKERS];  /* for this one since the strategy says so */
bool drained, stopped, ended;
bool closed[WORKERS], idle[WORKERS], isComing[WORKERS], isStarting[WORKERS];
bool started[WORKERS], leaving[WORKERS], out[WORKERS], lent[WORKERS], failing[WORKERS];
byte unreported[WORKERS];
byte rest[WORKERS];    /* a set: what is not begun of the worker's batch */

/* Mail. */
bool on[WORKERS];      /* the actor is there */
bool looks[WORKERS], pill[WORKERS], stopIt[WORKERS], restart[WORKERS], lentFailed[WORKERS];
bool start[WORKERS], failed[WORKERS], gone[WORKERS], saysDrained, saysTerminate;

/* The supervisor. */
bool hired[WORKERS], stopping, sawDrained;
byte alive;

byte mayCrash = CRASHES;
byte others;           /* processes that are neither the supervisor nor workers */
bool over;

#define own(w) (fixed[w] | routed[w])
#define work (line != 0 || rest[0] != 0 || rest[1] != 0)
#define vacant(w) (!closed[w] && !started[w])
#define anyIdle (idle[0] || idle[1])
#define open (!closed[0] + !closed[1])
#define spare (started[0] && !leaving[0] && !closed[0]) + (started[1] && !leaving[1] && !closed[1])

/*
 * What holds whenever the lock is free: somebody comes for what any worker may take, and
 * one is started if none is idle; who is idle is there and at an open place; who has
 * something of its own is there, or comes, or leaves and is replaced.
 */
#define calls !(work && anyIdle && coming == 0)
#define starts !(work && (vacant(0) || vacant(1)) && coming == 0 && starting == 0)
#define sane(w) (!idle[w] || started[w] && !closed[w] && !leaving[w] && !out[w] && !lent[w] && own(w) == 0)
#define owns(w) ((own(w) == 0 || started[w]) && !(closed[w] && routed[w]) && !(closed[w] && rest[w]))
#define kept (calls && starts && sane(0) && sane(1) && owns(0) && owns(1))

/* One end for each task. */
inline endTask(t) {
	phase[t] = DECIDED;
	ends[t]++;
	assert(ends[t] == 1)
}

/* In the lock, all of these. */
inline wake(w) {
	idle[w] = false; looks[w] = true
}

inline wakeOne(w) {
	isComing[w] = true; coming++; wake(w)
}

inline startOne(w) {
	started[w] = true; start[w] = true
}

inline rouse() {
	if
	:: coming == 0 && work && idle[0] -> wakeOne(0)
	:: coming == 0 && work && idle[1] -> wakeOne(1)
	:: coming == 0 && work && !anyIdle && (starting == 0 || line != 0) ->
	   do
	   :: unstarted < WORKERS ->
	      if
	      :: vacant(unstarted) -> isStarting[unstarted] = true; starting++; startOne(unstarted); break
	      :: else -> unstarted++
	      fi
	   :: else -> break
	   od
	:: else
	fi
}

inline rouseWorker(w) {
	if
	:: idle[w] -> wake(w)
	:: !idle[w] && !started[w] -> startOne(w)
	:: else
	fi
}

inline expected(w) {
	if
	:: isComing[w] -> isComing[w] = false; coming--; lingering = NONE
	:: else
	fi;
	if
	:: isStarting[w] -> isStarting[w] = false; starting--
	:: else
	fi
}

inline arrived(w) {
	outstanding = outstanding - unreported[w];
	unreported[w] = 0;
	expected(w)
}

inline takeBack(w) {
	line = line | rest[w]; rest[w] = 0
}

inline park(w) {
	idle[w] = true
}

inline checkEnded() {
	if
	:: stopped && outstanding == 0 && attendants == 0 -> ended = true
	:: else
	fi
}

inline checkDrained() {
	if
	:: state != OPEN && outstanding == 0 && attendants == 0 ->
	   if
	   :: !drained -> drained = true; saysDrained = !stopped
	   :: else
	   fi;
	   checkEnded()
	:: else
	fi
}

inline forget(w) {
	unstarted = (unstarted < w -> unstarted : w)
}

inline openPlace(w) {
	closed[w] = false;
#if BUG != 7
	if
	:: !started[w] -> forget(w)
	:: else
	fi
#endif
}

inline closePlace(w) {
	closed[w] = true;
#if BUG != 11
	if
	:: lingering == w -> lingering = NONE
	:: else
	fi;
#endif
#if BUG != 13
	line = line | routed[w]; routed[w] = 0; /* disown */
#endif
#if BUG != 10
	takeBack(w);
#endif
#if BUG != 1
	if
	:: idle[w] -> wake(w)
	:: else
	fi
#endif
}

/* A worker has gone; it is replaced if it has not left by itself. */
inline vacated(w, replace) {
	if
	:: !leaving[w] && !closed[w] -> replace = true
	:: else ->
	   replace = false;
	   started[w] = false; leaving[w] = false; out[w] = true;
#if BUG != 8
	   forget(w);
#endif
#if BUG != 9
	   if
	   :: own(w) -> rouseWorker(w)
	   :: else
	   fi;
#endif
#if BUG != 4
	   rouse()
#endif
	fi
}

inline withdraw(w) {
	atomic {
		idle[w] = false;
		arrived(w);
		out[w] = true;
		failing[w] = false;
		takeBack(w);
		rouse();
		checkDrained();
		assert(kept)
	}
}

/* The first of a set. */
inline pick(set, t) {
	t = 0;
	do
	:: t < TASKS && !(set & bit(t)) -> t++
	:: else -> break
	od;
	set = set & ~bit(t)
}

/* Some of a set: the first becomes t, and more may come to more. */
inline pickSome(set, more, t, i) {
	i = 0;
	t = NONE;
	do
	:: i < TASKS && (set & bit(i)) ->
	   set = set & ~bit(i);
	   if
	   :: t == NONE -> t = i
	   :: else -> more = more | bit(i)
	   fi;
	   i++;
	   if
	   :: set != 0
	   :: break
	   fi
	:: i < TASKS && !(set & bit(i)) -> i++
	:: i == TASKS -> break
	od;
	i = 0
}

#if BUG == 12
#define mayTakeAny(w) true
#else
#define mayTakeAny(w) (!closed[w])
#endif

proctype worker(byte w) {
	byte at = NONE, i;
	bool lingered, goes;

asleep:	if
	:: atomic { on[w] && looks[w] -> looks[w] = false }
	:: atomic { over -> goto through }
	fi;
everything:
	if
	:: atomic { stopIt[w] || pill[w] -> goto stops }
	:: atomic { !stopIt[w] && !pill[w] && lentFailed[w] -> lentFailed[w] = false; goto fails }
	:: atomic { else }
	fi;

	atomic { /* next */
		arrived(w);
		out[w] = false;
		idle[w] = false;
		if
		:: rest[w] -> pick(rest[w], at) /* it was interrupted */
		:: !rest[w] && !lent[w] && !failing[w] -> /* find */
#if BUG == 5
		   if
		   :: leaving[w]
		   :: else ->
#endif
		   if
		   :: fixed[w] -> pick(fixed[w], at)
		   :: routed[w] -> pick(routed[w], at)
		   :: mayTakeAny(w) && line -> pickSome(line, rest[w], at, i) /* take */
		   :: mayTakeAny(w) && !line && !own(w) && rest[1 - w] -> /* steal */
		      pickSome(rest[1 - w], rest[w], at, i)
		   :: else
		   fi
#if BUG == 5
		   fi
#endif
		:: else
		fi;
		if
		:: at != NONE -> leaving[w] = false; lingered = false; rouse()
		:: at == NONE && (lent[w] || failing[w]) -> lingered = false; rouse()
#if BUG == 3
		:: at == NONE && !lent[w] && !failing[w] && leaving[w] ->
#else
		:: at == NONE && !lent[w] && !failing[w] && (leaving[w] || closed[w]) -> /* leaves */
#endif
		   assert(own(w) == 0 && (closed[w] || !work));
		   leaving[w] = true;
		   lingered = false;
		   goes = true;
#if BUG != 6
		   rouse()
#endif
		:: else ->
		   if
		   :: !lingered && coming == 0 && state == OPEN -> /* linger */
		      isComing[w] = true; coming++; lingering = w; lingered = true; looks[w] = true
		   :: else -> lingered = false; park(w)
		   fi
		fi;
		checkDrained();
		assert(kept)
	}
	if
	:: atomic { goes -> goes = false; goto stops }
	:: atomic { !goes && at == NONE -> goto asleep }
	:: atomic { !goes && at != NONE }
	fi;

perform:
	atomic {
		if
		:: phase[at] == QUEUED -> phase[at] = RUNNING /* claim */
		:: else -> at = NONE /* pass */
		fi
	}
	atomic {
		if
		:: at != NONE && phase[at] == RUNNING -> endTask(at); unreported[w]++
		:: else /* late */
		fi;
		if
		:: at != NONE && mayCrash > 0 -> mayCrash--; at = NONE; goto fails
		:: at = NONE
		fi
	}
	atomic {
		if
		:: looks[w] -> looks[w] = false; goto everything /* interrupted */
		:: !looks[w] && !rest[w] -> goto everything
		:: !looks[w] && rest[w] -> assert(!closed[w]); pick(rest[w], at); goto perform /* begin */
		fi
	}

fails:	failed[w] = true;
	withdraw(w);
	if
	:: atomic { restart[w] -> restart[w] = false; goto everything }
	:: atomic { stopIt[w] }
	fi;

stops:	withdraw(w);
	atomic {
		on[w] = false; looks[w] = false; pill[w] = false; stopIt[w] = false;
		restart[w] = false; lentFailed[w] = false; lingered = false;
		gone[w] = true;
		goto asleep
	}
through:	skip
}

proctype submitter() {
	byte t, w;
	do
	:: t < TASKS ->
	   atomic { /* submit */
		if
		:: state != OPEN -> break /* refused */
		:: else
		fi;
		phase[t] = QUEUED;
		outstanding++;
		if
		:: line = line | bit(t); rouse()
#if OWN
		:: fixed[0] = fixed[0] | bit(t); rouseWorker(0)
		:: fixed[1] = fixed[1] | bit(t); rouseWorker(1)
		:: !closed[1] -> routed[1] = routed[1] | bit(t); rouseWorker(1)
#endif
		fi;
		t++;
		assert(kept)
	   }
	:: else -> break
	od;
	others--
}

proctype resizer() { /* resize */
	byte n = RESIZES;
	do
	:: n > 0 ->
	   atomic {
		n--;
		if
		:: state == TERMINATED -> break
		:: state != TERMINATED && !closed[0] && open > 1 -> closePlace(0)
		:: state != TERMINATED && !closed[1] && open > 1 -> closePlace(1)
		:: state != TERMINATED && closed[0] -> openPlace(0)
		:: state != TERMINATED && closed[1] -> openPlace(1)
		fi;
		rouse();
		assert(kept)
	   }
	:: n == 0 -> break
	od;
	others--
}

proctype timer() {
	byte n = EXPIRES;
	do
	:: n > 0 ->
	   if
	   :: atomic { idle[0] && spare > MIN -> n--; leaving[0] = true; wake(0); assert(kept) } /* expire */
	   :: atomic { idle[1] && spare > MIN -> n--; leaving[1] = true; wake(1); assert(kept) }
	   :: over -> break
	   :: n = 0
	   fi
	:: n == 0 -> break
	od;
	others--
}

#if LOANS
proctype lender() {
	byte w;
	atomic { /* lend */
		if
		:: !work && state == OPEN && lingering != NONE -> w = lingering
		:: !work && state == OPEN && idle[0] -> w = 0
		:: !work && state == OPEN && idle[1] -> w = 1
		:: goto returned
		fi;
		assert(!closed[w] && !leaving[w]);
		idle[w] = false;
		expected(w);
		lent[w] = true;
		attendants++;
		outstanding++;
		phase[TASKS] = RUNNING;
		assert(kept)
	}
	atomic {
		if
		:: phase[TASKS] == RUNNING -> endTask(TASKS); unreported[w]++
		:: else
		fi
	}
	atomic { /* giveBack */
		lent[w] = false;
		attendants--;
		outstanding = outstanding - unreported[w];
		unreported[w] = 0;
		if
		:: mayCrash > 0 -> mayCrash--; failing[w] = true;
		   lentFailed[w] = on[w]; looks[w] = on[w]
		:: out[w]
#if BUG == 2
		:: !out[w] && closed[w]
#elif BUG == 14
		:: !out[w] && closed[w] -> park(w)
#else
		:: !out[w] && closed[w] -> wake(w)
#endif
		:: !out[w] && !closed[w] ->
		   park(w);
#if BUG != 15
		   if
		   :: own(w) -> wake(w)
		   :: else
		   fi
#endif
		fi;
		rouse();
		checkDrained();
		assert(kept)
	}
returned:
	atomic { w = 0; others-- }
}
#endif

proctype messenger() {
	if
	:: atomic { on[0] -> looks[0] = true }
	:: atomic { on[1] -> looks[1] = true }
	:: true
	fi;
	others--
}

proctype stopper() {
	if
	:: atomic { on[0] -> stopIt[0] = true; looks[0] = true }
	:: atomic { on[1] -> stopIt[1] = true; looks[1] = true }
	:: true
	fi;
	others--
}

/* In place of its function: terminated, or failed with its worker. */
inline settle(t, mine) {
	atomic {
		if
		:: phase[t] == QUEUED || phase[t] == RUNNING -> endTask(t); mine = true
		:: else
		fi
	}
	if
	:: mine ->
	   atomic { /* leave */
		line = line & ~bit(t);
		fixed[0] = fixed[0] & ~bit(t); fixed[1] = fixed[1] & ~bit(t);
		routed[0] = routed[0] & ~bit(t); routed[1] = routed[1] & ~bit(t);
		outstanding--;
		mine = false;
		checkDrained()
	   }
	:: else
	fi
}

inline settleAll(doomed, t, mine) {
	t = 0;
	do
	:: t < ALL ->
	   if
	   :: doomed & bit(t) -> settle(t, mine)
	   :: else
	   fi;
	   t++
	:: else -> break
	od;
	t = 0
}

inline close() {
	atomic {
		if
		:: state == OPEN -> state = CLOSING; checkDrained()
		:: else
		fi
	}
}

proctype owner() {
	byte t, doomed;
	bool mine;
#if END == TERMINATES
	if
	:: close()
	:: true
	fi;
	atomic { /* terminate */
		if
		:: state == TERMINATED -> goto done
		:: else
		fi;
		state = TERMINATED;
		takeBack(0); /* gather */
		takeBack(1);
		for (t : 0 .. ALL - 1) {
			if
			:: phase[t] == QUEUED || phase[t] == RUNNING -> doomed = doomed | bit(t)
			:: else
			fi
		}
		t = 0;
		saysTerminate = !stopped;
		checkDrained()
	}
	settleAll(doomed, t, mine);
done:	others--
#else
#if END == CALM
	atomic {
		timeout;
		for (t : 0 .. TASKS - 1) { assert(phase[t] == DECIDED) }
		for (t : 0 .. WORKERS - 1) {
			assert(!closed[t] || !hired[t] && !started[t]);
			assert(!hired[t] || idle[t])
		}
		assert(coming == 0 && starting == 0);
		t = 0
	}
#endif
	close();
	others--
#endif
}

inline poisonWorkers(w) {
	if
	:: !stopping ->
	   stopping = true;
	   for (w : 0 .. WORKERS - 1) {
		if
		:: hired[w] && on[w] -> pill[w] = true; looks[w] = true
		:: else
		fi
	   }
	   w = 0
	:: else
	fi
}

inline hire(w) { /* with replace */
	hired[w] = true; alive++;
	started[w] = true; failing[w] = false;
	on[w] = true; looks[w] = true
}

#define who(c) if :: c[0] -> w = 0 :: c[1] -> w = 1 fi

proctype supervisor() {
	byte w, t, doomed;
	bool replace, mine;
	do
	:: atomic { start[0] || start[1] -> who(start); start[w] = false;
		if
		:: !stopping && !hired[w] -> hire(w)
		:: else
		fi; w = 0 }
	:: atomic { failed[0] || failed[1] -> who(failed); failed[w] = false;
		if
		:: stopping || closed[w] && own(w) == 0 -> mine = true /* isLeaving */
		:: !stopping && !(closed[w] && own(w) == 0) -> restart[w] = true
#if DISCHARGES
		:: !stopping && !(closed[w] && own(w) == 0) && (closed[w] || open > 1) -> replace = true
#endif
		fi }
	   if
	   :: atomic { replace && (closed[w] || open > 1) -> /* discharge */
		replace = false;
		if
		:: !closed[w] -> closePlace(w); rouse()
		:: else
		fi;
		leaving[w] = true;
		doomed = own(w);
		mine = true;
		assert(kept) }
	   :: atomic { replace && !closed[w] && open == 1 -> replace = false; restart[w] = true } /* breaks: left out */
	   :: atomic { !replace }
	   fi;
	   if
	   :: doomed -> mine = false; settleAll(doomed, t, mine); atomic { doomed = 0; mine = true }
	   :: else
	   fi;
	   atomic {
		if
		:: mine -> stopIt[w] = on[w]; looks[w] = on[w]; mine = false
		:: else
		fi;
		w = 0 }
	:: atomic { gone[0] || gone[1] -> who(gone); gone[w] = false; hired[w] = false; alive--;
		if
		:: !stopping -> vacated(w, replace); assert(kept)
		:: else
		fi }
	   atomic {
		if
		:: replace -> hire(w); replace = false
		:: else
		fi;
		w = 0 }
	:: atomic { saysDrained -> saysDrained = false; sawDrained = true; poisonWorkers(w) }
	:: atomic { saysTerminate -> saysTerminate = false; poisonWorkers(w) }
	:: atomic { stopping && sawDrained && alive == 0 -> break } /* leaveIfDone */
	od;
	/* detach */
	atomic {
		stopped = true; state = TERMINATED;
		assert(outstanding == 0);
		checkEnded();
		over = true
	}
}

init {
	byte t;
	atomic {
		others = 2;
		run supervisor();
		run worker(0);
		run worker(1);
		run submitter();
		run owner();
#if RESIZES
		others++; run resizer();
#endif
#if EXPIRES
		others++; run timer();
#endif
#if LOANS
		others++; run lender();
#endif
#if LETTERS
		others++; run messenger();
#endif
#if STOPS
		others++; run stopper();
#endif
	}
	_nr_pr == 1; /* everybody is through */
	assert(ended && alive == 0 && outstanding == 0 && others == 0);
	for (t : 0 .. ALL - 1) {
		assert((phase[t] == CREATED && ends[t] == 0) || (phase[t] == DECIDED && ends[t] == 1))
	}
}

ltl shutdown { <> (ended && alive == 0) }
