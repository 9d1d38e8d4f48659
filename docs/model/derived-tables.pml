/*
 * The rules of docs/design.md ("Derived tables") for a chained table over two or three days: every interleaving of them within the bounds, and without
 * each rule in turn. `npm run check:model` runs it; commit-rules.pml, the model of what stands in front of it, says what a reader has to know of spin.
 *
 * A day has one object of readings. What it holds is one of three contents, and equal contents have equal bytes, and so equal etags: an etag may come
 * back. `empty` leaves the state of the chain as it was, `alarm` closes with 1, `mixed` with what the profile says. A derived object is what it was made
 * of (content, profile, opening state), and what it says that it was made of. Readings are written by rules of their own (commit-rules.pml): here one step
 * writes them, and one tells of it; a worker that dies between them has its message come back, which is the same as being slow.
 * Workers of derived days are told by message, or begin by themselves as commands and Spark jobs do, on any day, also several on one. Each may die at any
 * time; then its message comes back, or its command is run again (docs/promises.md). A table that is not chained is one of a single day.
 */

/* ---- Bounds ---- */
#ifndef DAYS
#define DAYS 3
#endif
#ifndef CHANGES
#define CHANGES 3           /* of readings, on any days */
#endif
#ifndef PROFILES
#define PROFILES 1          /* further versions of the profile: 0 or 1 */
#endif
#ifndef WORKERS
#define WORKERS 2           /* at once; any number one after the other */
#endif

mtype = { readings_are_in, chain_is_right };

/* Contents of readings. */
#define NO_OBJECT 0
#define EMPTY 1
#define ALARM 2
#define MIXED 3

/* What a derived object was made of, in one number; 0: there is none. */
#define PACK(content, version, state) ((content) * 4 + (version) * 2 + (state))
#define CONTENT(made) ((made) / 4)
#define VERSION(made) (((made) / 2) % 2)
#define OPENING(made) ((made) % 2)

#ifdef NO_IDENTITY
#define AFTER_EMPTY(state) 0
#else
#define AFTER_EMPTY(state) (state)
#endif
#define AFTER(content, version, state) ((content) == ALARM -> 1 : ((content) == MIXED -> (version) : AFTER_EMPTY(state)))
#define CLOSING(made) AFTER(CONTENT(made), VERSION(made), OPENING(made))

/* ---- The store ---- */
byte readings[DAYS];        /* content of the day's readings */
bool version;               /* of the profile that holds */
byte made[DAYS];            /* what the day's derived object was made of */
byte said[DAYS];            /* what it says that it was made of */

/* ---- The queue, and what is on its way to it ---- */
bool told[DAYS];
bool untold[DAYS];          /* readings were written, and the day has yet to be told */
bool is_profile_untold;
byte changes;
#ifdef TELLS_BEFORE_WRITE
byte planned[DAYS];         /* content that is told of already, and will be written */
#endif

/* ---- The workers ---- */
byte working;

#define IS_WORKING(number) ((working & (1 << (number))) != 0)
#define MAY_BEGIN (me == 0 || IS_WORKING(me - 1))       /* workers are alike: the lowest first */

/* ---- What is promised, and what must be seen to happen at all ---- */
#define PROMISE(name, holds) \
    if \
    :: holds \
    :: else -> printf("broken promise: %e\n", name); assert(false) \
    fi

#ifdef GOAL
mtype = { quiet_with_all_days, chain_goes_on, chain_stops, lost_race, overtaken_after_write, late_day, across_a_gap };
#define REACHED(goal, holds) \
    if \
    :: goal == GOAL && (holds) -> printf("reached: %e\n", goal); assert(false) \
    :: else \
    fi
#else
#define REACHED(goal, holds) skip
#endif

#if DAYS == 3
#define ANY(of) (of[0] || of[1] || of[2])
#define ALL(of) (of[0] && of[1] && of[2])
#else
#define ANY(of) (of[0] || of[1])
#define ALL(of) (of[0] && of[1])
#endif
#ifdef TELLS_BEFORE_WRITE
#define IS_PLANNED ANY(planned)
#else
#define IS_PLANNED false
#endif
#define IS_QUIET (working == 0 && !ANY(told) && !ANY(untold) && !is_profile_untold && !IS_PLANNED)

/* Nobody works and nothing is told: every day is made of what is there, and opens with what all days before it come to. */
inline check_if_quiet(day, state) {
    if
    :: IS_QUIET ->
        printf("all is quiet\n");
        REACHED(quiet_with_all_days, ALL(readings));
        day = 0; state = 0;
        do
        :: day < DAYS ->
            PROMISE(readings_are_in, CONTENT(made[day]) == readings[day]);
            if
            :: readings[day] != NO_OBJECT ->
                PROMISE(readings_are_in, VERSION(made[day]) == version);
                PROMISE(chain_is_right, OPENING(made[day]) == state);
                state = (readings[day] == ALARM -> 1 : (readings[day] == MIXED -> version : state))
            :: else
            fi;
            day++
        :: else -> break
        od;
        day = 0; state = 0
    :: else
    fi
}

/* The nearest earlier day that has an object, by a listing; DAYS where there is none. */
inline list_before(day, found) {
#ifdef YESTERDAY
    found = (day > 0 -> (made[day - 1] != 0 -> day - 1 : DAYS) : DAYS)
#else
    found = (day > 0 -> (made[day - 1] != 0 -> day - 1 : (day > 1 -> (made[0] != 0 -> 0 : DAYS) : DAYS)) : DAYS)
#endif
}

/* The state that the object of an earlier day closes with. */
#define STATE_BEHIND(day) ((day) == DAYS -> 0 : CLOSING(made[(day) % DAYS]))

/* The next day that has an object, by a listing; DAYS where there is none. */
#if DAYS == 3
#define NEXT(day) ((day) == 0 -> (made[1] != 0 -> 1 : (made[2] != 0 -> 2 : DAYS)) : ((day) == 1 -> (made[2] != 0 -> 2 : DAYS) : DAYS))
#else
#define NEXT(day) ((day) == 0 -> (made[1] != 0 -> 1 : DAYS) : DAYS)
#endif

/* ---- Derive a day ---- */
inline end_worker() {
    working = working & ~(1 << me);
    day = 0; own = 0; own_said = 0; content = 0; seen_version = 0; state = 0; before = 0; read = 0; has_written = false;
#ifdef LISTS_NEXT_FIRST
    stale = DAYS;
#endif
#ifdef TELLS_AFTER_CHANGE
    has_changed = false;
#endif
#ifdef FORGOTTEN_COMMANDS
    is_command = false;
#endif
    check_if_quiet(day, state)
}

inline dies() {
    d_step {
        true ->
#ifdef FORGOTTEN_COMMANDS
        if
        :: is_command -> printf("command %c is killed, and nobody runs it again\n", 65 + me)
        :: else -> told[day] = true; printf("worker %c dies, and its message comes back\n", 65 + me)
        fi;
#else
        printf("worker %c dies, and its message comes back\n", 65 + me);
#ifdef WALKS_UNTOLD
        told[message] = true;
#else
        told[day] = true;
#endif
#endif
        end_worker()
    }
}

/* 1. The own object and its etag, before all that it is made of. */
inline look_at_own() {
    own = made[day];
    own_said = said[day];
    printf("worker %c looks at its own object of day %d\n", 65 + me, day)
}

inline begin(number) {
    working = working | (1 << me);
    day = number;
#ifdef WALKS_UNTOLD
    message = number;
#endif
#ifdef LISTS_NEXT_FIRST
    stale = NEXT(number);
#endif
    look_at_own()
}

/* 3. What the own object says is what is there. */
#ifdef NAMES_NO_PROFILE
#define FITS_VERSION true
#else
#define FITS_VERSION (VERSION(own_said) == seen_version)
#endif
#ifdef NAMES_NO_STATE
#define FITS_STATE true
#elif defined(NARROW_SECOND_LOOK)
#define FITS_STATE (has_written || OPENING(own_said) == state)
#else
#define FITS_STATE (OPENING(own_said) == state)
#endif
#define FITS (own == 0 -> content == NO_OBJECT : (CONTENT(own_said) == content && FITS_VERSION && FITS_STATE))

#ifdef NO_CONDITION
#define IS_OWN_AS_SEEN true
#else
#define IS_OWN_AS_SEEN (made[day] == own && said[day] == own_said)
#endif

#ifdef DELETES_EMPTY
#define MADE_OF(what) ((what) == NO_OBJECT -> 0 : PACK(what, seen_version, state))
#else
#define MADE_OF(what) PACK(what, seen_version, state)
#endif

proctype Worker(byte me) {
    byte day, own, own_said, content, before, read;
    bit seen_version, state;
    bool has_written;       /* this one has won a write since it began */
#ifdef LISTS_NEXT_FIRST
    byte stale = DAYS;
#endif
#ifdef TELLS_AFTER_CHANGE
    bool has_changed;
#endif
#ifdef WALKS_UNTOLD
    byte message;
#endif
#ifdef FORGOTTEN_COMMANDS
    bool is_command;        /* nobody runs it again when it is killed */
#define BEGIN_COMMAND(number) begin(number); is_command = true
#else
#define BEGIN_COMMAND(number) begin(number)
#endif

resting:
    if
    :: d_step { told[0] && MAY_BEGIN -> told[0] = false; begin(0) }
    :: d_step { told[1] && MAY_BEGIN -> told[1] = false; begin(1) }
#if DAYS == 3
    :: d_step { told[2] && MAY_BEGIN -> told[2] = false; begin(2) }
#endif
#ifdef COMMANDS             /* without a message: late and repeated ones, commands, Spark jobs */
    :: d_step { readings[0] != NO_OBJECT && MAY_BEGIN -> BEGIN_COMMAND(0) }
    :: d_step { readings[1] != NO_OBJECT && MAY_BEGIN -> BEGIN_COMMAND(1) }
#if DAYS == 3
    :: d_step { readings[2] != NO_OBJECT && MAY_BEGIN -> BEGIN_COMMAND(2) }
#endif
#endif
    fi;
    goto step_2;

step_1:
    if
    :: d_step { true -> look_at_own() }
    :: dies() goto resting
    fi;

step_2: /* 2. All that it would be made of: the profile, a listing of the readings; */
    if
    :: d_step {
            true ->
            seen_version = version;
            content = readings[day];
            printf("worker %c lists the readings of day %d: content %d\n", 65 + me, day, content)
        }
    :: dies() goto resting
    fi;
    if
    :: d_step { /* the closing state of the nearest earlier day that has an object, found by a listing. */
            true ->
            list_before(day, before);
            state = STATE_BEHIND(before);
            REACHED(across_a_gap, before != DAYS && before + 1 < day);
            printf("worker %c finds that day %d opens with %d\n", 65 + me, day, state)
        }
    :: dies() goto resting
    fi;
    if
    :: d_step { FITS -> content = 0; seen_version = 0; state = 0; before = 0; printf("worker %c finds nothing to write\n", 65 + me) }
        goto step_6
    :: d_step { !FITS -> REACHED(overtaken_after_write, has_written) }
    fi;

step_4: /* 4. Read what is needed, and name it as it was read. */
    if
    :: d_step {
            true ->
            state = STATE_BEHIND(before);
            before = 0;
            printf("worker %c reads the state that day %d opens with: %d\n", 65 + me, day, state)
        }
    :: dies() goto resting
    fi;
    if
    :: d_step {
            true ->
            read = readings[day];
#ifndef NAMES_AS_LISTED
            content = read;
#endif
            printf("worker %c reads the readings of day %d: content %d\n", 65 + me, day, read)
        }
    :: dies() goto resting
    fi;

    /* 5. Write on condition of step 1's etag; won or lost, go to 1. */
    if
    :: d_step {
            IS_OWN_AS_SEEN ->
            has_written = true;
#ifdef TELLS_AFTER_CHANGE
            has_changed = has_changed || own == 0 || CLOSING(own) != CLOSING(PACK(read, seen_version, state));
#endif
            REACHED(late_day, own == 0 && NEXT(day) != DAYS);
            made[day] = MADE_OF(read);
            said[day] = MADE_OF(content);
            own = made[day]; own_said = said[day];
            content = 0; seen_version = 0; state = 0; read = 0;
            printf("worker %c writes day %d\n", 65 + me, day)
        }
#ifdef NO_SECOND_LOOK
        goto step_6
#else
        goto step_1
#endif
    :: d_step {
            !IS_OWN_AS_SEEN ->
            REACHED(lost_race, true);
            content = 0; seen_version = 0; state = 0; read = 0;
            printf("worker %c comes too late to write day %d\n", 65 + me, day)
        }
        goto step_1
    :: dies() goto resting
    fi;

step_6: /* 6. Whoever ends a pass tells, whether or not it wrote: the next day that has an object, where that opened with another state. */
    if
    :: d_step {
#ifdef LISTS_NEXT_FIRST
            true ->
            before = stale;
#else
            true ->
            before = NEXT(day);
#endif
            REACHED(chain_stops, own != 0 && before != DAYS && OPENING(said[before % DAYS]) == CLOSING(own));
#ifdef TELLS_AFTER_CHANGE
            before = (has_changed -> before : DAYS);
#endif
            before = (own != 0 && before != DAYS -> (OPENING(said[before % DAYS]) != CLOSING(own) -> before : DAYS) : DAYS);
            REACHED(chain_goes_on, before != DAYS);
#ifndef WALKS_UNTOLD
            if
            :: before != DAYS -> told[before] = true; printf("worker %c tells day %d\n", 65 + me, before)
            :: else
            fi;
            printf("worker %c is done with day %d\n", 65 + me, day);
            end_worker()
#endif
        }
#ifdef WALKS_UNTOLD
        if
        :: d_step {
                before != DAYS ->
                day = before; before = 0; has_written = false;
                printf("worker %c goes on to day %d itself\n", 65 + me, day);
                look_at_own()
            }
            goto step_2
        :: d_step { before == DAYS -> printf("worker %c is done with day %d\n", 65 + me, day); end_worker() }
        fi;
#endif
        goto resting
    :: dies() goto resting
    fi
}

/* ---- What people and other workers do ---- */
#ifdef DELETES_EMPTY
#define KEPT(content) ((content) == EMPTY -> NO_OBJECT : (content))
#else
#define KEPT(content) (content)
#endif

inline change(number, to) {
    d_step {
        changes < CHANGES && readings[number] != KEPT(to) ->
        changes++;
        untold[number] = true;
        readings[number] = KEPT(to);
        printf("readings of day %d are written: content %d\n", number, readings[number])
    }
}

#ifdef TELLS_BEFORE_WRITE
#define CHANGE(number, to) d_step { \
        changes < CHANGES && readings[number] != to && planned[number] == 0 -> \
        changes++; planned[number] = to; told[number] = true; printf("day %d is told\n", number) }
#define TELL(number) d_step { \
        planned[number] != 0 -> readings[number] = planned[number]; planned[number] = 0; \
        printf("readings of day %d are written: content %d\n", number, readings[number]); check_if_quiet(day, state) }
#else
#define CHANGE(number, to) change(number, to)
#define TELL(number) d_step { \
        untold[number] -> untold[number] = false; told[number] = true; printf("day %d is told\n", number) }
#endif
#ifdef TELLS_AFTER_WRITE_ONLY
/* The worker of the readings dies before it tells; its message comes back, it finds nothing to write and says nothing. */
#define FORGET(number) d_step { \
        untold[number] -> untold[number] = false; printf("who wrote the readings of day %d dies; the next one has nothing to write\n", number); \
        check_if_quiet(day, state) }
#endif

proctype World() {
    byte day;
    bit state;

end:
    do
    :: CHANGE(0, EMPTY)
    :: CHANGE(0, ALARM)
    :: CHANGE(0, MIXED)
    :: CHANGE(1, EMPTY)
    :: CHANGE(1, ALARM)
    :: CHANGE(1, MIXED)
    :: TELL(0)
    :: TELL(1)
#if DAYS == 3
    :: CHANGE(2, EMPTY)
    :: CHANGE(2, ALARM)
    :: CHANGE(2, MIXED)
    :: TELL(2)
#endif
#ifdef TELLS_AFTER_WRITE_ONLY
    :: FORGET(0)
    :: FORGET(1)
#if DAYS == 3
    :: FORGET(2)
#endif
#endif
#if PROFILES == 1
    :: d_step { !version -> version = true; is_profile_untold = true; printf("the profile has another version\n") }
    :: d_step {
            is_profile_untold ->
            is_profile_untold = false;
#ifdef PROFILE_TELLS_NOBODY
            check_if_quiet(day, state)
#else
            told[0] = told[0] || readings[0] != NO_OBJECT;
            told[1] = told[1] || readings[1] != NO_OBJECT;
#if DAYS == 3
            told[2] = told[2] || readings[2] != NO_OBJECT;
#endif
            printf("every day with readings is told of the profile\n")
#endif
        }
#endif
    od
}

init {
    atomic {
        run Worker(0);
#if WORKERS == 2
        run Worker(1);
#endif
        run World()
    }
}
