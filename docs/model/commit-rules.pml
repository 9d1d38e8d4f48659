/*
 * The commit rules of docs/design.md for one source and one day: every interleaving of them within the bounds, and without each rule in turn.
 * `npm run check:model` runs it. Written for spin (https://spinroot.com); what a reader has to know of its language:
 *
 *   proctype P() { ... }        a worker. All of them go on at once, one step at a time, in every order.
 *   if :: a -> b :: c -> d fi   one of the lines whose first part is true now, each is tried; where none is, the worker waits.
 *   d_step { ... }              one step: nobody comes between.        (x -> y : z)   y where x holds, else z
 *   inline f() { ... }          text that is put where f() stands.     assert(false)  here a promise is broken
 *
 * Numbers are left out. A write on condition of an etag comes about where nobody wrote since that etag was read: so one bit for each worker says
 * that nobody has (`fresh`). A version `<n>-<attempt>` is a bit of a set, taken up again when nothing speaks of it any more. So uploads, commits,
 * fences and deaths may go on for ever, and all that can come of them is still a finite number of states.
 *
 * X and Y are bytes with rows on the day, Z are bytes without. One source is enough: sources share the object of a day and nothing else, and what
 * another one's write does to a consolidator, which is to make it begin again, its death does here too. One day is enough: versions say for
 * each day by themselves whether they count. A queue is one bit, a message waits or does not: two that wait are both done with by the next delivery.
 */

/* ---- Bounds ---- */
#ifndef UPLOADS
#define UPLOADS 2           /* 0: any number */
#endif
#ifndef SUMMARIZERS
#define SUMMARIZERS 2       /* at once; any number one after the other. A command that retracts is one of them too. */
#endif
#ifndef CONSOLIDATORS
#define CONSOLIDATORS 1     /* at once */
#endif
#ifndef VERSIONS
#define VERSIONS 3          /* with rows on the day that anything speaks of at once; a history that needs more is not followed further */
#endif
#ifdef SHARED_KEYS
#define LITTER              /* what is written late counts there */
#endif

mtype = { nothing, X, Y, Z };
mtype = { convergence, atomicity, nothing_lost, nothing_superseded, nothing_left, nothing_uncommitted, retraction_holds, retraction_ends };

#define BIT(number) (1 << (number))
#define WITHOUT(set, other) ((set) & ~(other))
#define HAS_TWO(set) (((set) & ((set) - 1)) != 0)
#define LOWEST(set) ((set) & -(set))

/* ---- The store. Versions and sets of versions are bits. ---- */
mtype raw = nothing;
byte live;                  /* the ledger's: the live version, 0 where it has no rows on the day, or there is none */
mtype live_bytes = nothing; /* the ledger's: what the live version was read from; nothing where there is none */
bool retracts;              /* the ledger's: what was retracted is the raw object's present generation */
bool has_record;            /* there is a ledger record */
bool has_day;               /* the ledger's: some version, live or not, has rows on the day */
byte committed;             /* versions that are or were live, of those that anything speaks of */
byte summaries;             /* of the day */
byte pair_days;             /* what the day's object contains; equal contents have equal bytes, and so equal etags */

/* ---- The queues, and what people did ---- */
bool told_source;
bool told_day;
bool is_cut_off;            /* a command died: whoever began it runs it again, unless an upload has made it void */
bool is_gone;               /* the raw object's present generation was retracted */
byte uploads;
bool has_x;

/* ---- The workers: a bit of each byte, or a place of each array, for each of them ---- */
byte working;
byte fresh;                 /* nobody has written the ledger since this one read it */
byte asked;                 /* what this one is to retract is the raw object's present generation */
byte seen_retracts;         /* `retracts`, as this one read it */
byte written;               /* this one has written its summary */
mtype bytes[SUMMARIZERS] = nothing;     /* what this one has read and not committed */
byte mine[SUMMARIZERS];                 /* the version of its attempt */
byte dead[SUMMARIZERS];                 /* what it is to delete */
byte contained[CONSOLIDATORS];
byte counting[CONSOLIDATORS];

#define ME BIT(me)
#define BEFORE(first, me) (BIT(me) - BIT(first))
#define MAY_BEGIN(first, me) ((working & BEFORE(first, me)) == BEFORE(first, me))   /* workers of a kind are alike: the lowest first */
#ifdef NO_LEDGER_CONDITION
#define IF_FRESH(who) mine[who]
#else
#define IF_FRESH(who) ((fresh & BIT(who)) != 0 -> mine[who] : 0)
#endif

#if SUMMARIZERS == 3
#define HELD_BY_SUMMARIZERS (mine[0] | mine[1] | mine[2] | dead[0] | dead[1] | dead[2])
#define NEXT_NUMBER (IF_FRESH(0) | IF_FRESH(1) | IF_FRESH(2))
#else
#define HELD_BY_SUMMARIZERS (mine[0] | mine[1] | dead[0] | dead[1])
#define NEXT_NUMBER (IF_FRESH(0) | IF_FRESH(1))     /* versions that may yet be committed: their number is the ledger's next one */
#endif
#if CONSOLIDATORS == 2
#define HELD_BY_CONSOLIDATORS (contained[0] | counting[0] | contained[1] | counting[1])
#else
#define HELD_BY_CONSOLIDATORS (contained[0] | counting[0])
#endif
#define HELD (summaries | pair_days | live | HELD_BY_SUMMARIZERS | HELD_BY_CONSOLIDATORS)
#define FREE WITHOUT(BIT(VERSIONS) - 1, HELD)

inline tidy() {
#ifndef SHARED_KEYS             /* What is deleted never comes back. */
    dead[0] = dead[0] & summaries;
    dead[1] = dead[1] & summaries;
#if SUMMARIZERS == 3
    dead[2] = dead[2] & summaries;
#endif
#endif
    committed = committed & HELD
}

/* ---- What is promised, and what must be seen to happen at all ---- */
#define PROMISE(name, holds) \
    if \
    :: holds \
    :: else -> printf("broken promise: %e\n", name); assert(false) \
    fi

#ifdef GOAL
mtype = { quiet_with_figures, quiet_without_rows, quiet_retracted, quiet_corrected, fence_wins, fence_beats, late_commit, lost_answer, own_deleted,
    superseded_deleted, number_used_up, shortcut, retraction_void };
#define REACHED(goal, holds) \
    if \
    :: goal == GOAL && (holds) -> printf("reached: %e\n", goal); assert(false) \
    :: else \
    fi
#else
#define REACHED(goal, holds) skip
#endif

#define IS_QUIET (working == 0 && !told_source && !told_day && !is_cut_off)

inline check_if_quiet() {
    if
    :: IS_QUIET ->
        printf("all is quiet\n");
        REACHED(quiet_with_figures, pair_days != 0);
        REACHED(quiet_without_rows, live_bytes == Z);
        REACHED(quiet_retracted, is_gone);
        REACHED(quiet_corrected, pair_days != 0 && raw == Y);
        if
        :: is_gone -> PROMISE(retraction_holds, pair_days == 0)
        :: !is_gone && live_bytes == nothing -> PROMISE(retraction_ends, raw == nothing)
        :: else -> PROMISE(convergence, live_bytes == raw)
        fi;
        PROMISE(nothing_superseded, WITHOUT(pair_days, live) == 0);
        PROMISE(convergence, pair_days == live && (summaries & live) == live);
#if !defined(SHARED_KEYS) && !defined(NO_DELETES)       /* they break worse than that */
        PROMISE(nothing_left, WITHOUT(summaries & committed, live) == 0)
#endif
    :: else
    fi
}

/* ---- Summarize the source ---- */

/*
 * What was written for a commit that can never come. Nothing will ever name it, so that all it does is to have a consolidator look at the ledger
 * once more, as one may do here anyway: so it need not lie about. With LITTER it does, until somebody deletes it.
 */
inline give_up(who) {
    if
    :: (mine[who] & committed) == 0 ->
#ifndef LITTER
        summaries = WITHOUT(summaries, mine[who]);
#endif
        mine[who] = 0
    :: else         /* committed, with the answer lost */
    fi;
    bytes[who] = nothing;
    written = WITHOUT(written, BIT(who))
}

/* Every write of the ledger makes its number higher, and so is noticed by whoever has read it before. */
inline ledger_is_written() {
    fresh = 0;
    has_record = true;
#if !defined(LITTER) && !defined(NO_LEDGER_CONDITION)
    give_up(0); give_up(1);
#if SUMMARIZERS == 3
    give_up(2);
#endif
#endif
    tidy()
}

inline end_summarizer() {
    give_up(me);
    mine[me] = 0; dead[me] = 0;
    working = WITHOUT(working, ME); fresh = WITHOUT(fresh, ME); asked = WITHOUT(asked, ME); seen_retracts = WITHOUT(seen_retracts, ME);
    seen_bytes = nothing; is_fenced = false; is_command = false; is_copy = false; tells = false;
    tidy();
    check_if_quiet()
}

/* Of the deliveries of a message one ends well. It takes the message; all others are copies, and bring nothing back when they die. */
inline summarizer_dies() {
    d_step {
        is_copy || is_command ->
        printf("worker %c dies\n", 65 + me);
        is_cut_off = is_cut_off || is_command;
        end_summarizer()
    }
}

/* 1. Read the ledger record and its etag. What was written for a commit that came too late is deleted, unless it is live: then its answer was lost. */
inline read_ledger() {
    REACHED(own_deleted, mine[me] != 0 && mine[me] != live);
#ifdef DISCARDS_UNASKED
    summaries = WITHOUT(summaries, mine[me]);
#else
    summaries = (mine[me] != live -> WITHOUT(summaries, mine[me]) : summaries);
#endif
    mine[me] = 0;
    fresh = fresh | ME;
    seen_retracts = (retracts -> seen_retracts | ME : WITHOUT(seen_retracts, ME));
    seen_bytes = live_bytes;
#ifdef NO_DELETES
    dead[me] = 0;
#else
    dead[me] = WITHOUT(committed, live);
#endif
#ifdef NO_TELLING_OLD_DAYS
    tells = live != 0;
#else
    tells = has_day;
#endif
    tidy();
    printf("worker %c reads the ledger: live is {%d}, of bytes %e\n", 65 + me, live, live_bytes)
}

#ifdef NO_LEDGER_CONDITION
#define IS_LEDGER_AS_SEEN true
#else
#define IS_LEDGER_AS_SEEN ((fresh & ME) != 0)
#endif
#ifdef NO_RETRACTED_GENERATION
#define NEEDS_READING (seen_bytes != raw)
#else
#define NEEDS_READING ((seen_retracts & ME) == 0 && seen_bytes != raw)
#endif
#ifdef SHARED_KEYS
#define SAME(other) (other != me && (fresh & BIT(other) & (fresh & ME) * BIT(other) / ME) != 0 && bytes[other] == raw -> mine[other] : 0)
#define NEW_VERSION ((SAME(0) | SAME(1)) != 0 -> (SAME(0) | SAME(1)) : LOWEST(FREE))
#else
#define NEW_VERSION LOWEST(FREE)
#endif

/* 2. Look at the raw object: it must be read where the live version is of other bytes, and its generation was not retracted. */
inline look_at_raw() {
    if
    :: NEEDS_READING ->
        dead[me] = 0; tells = false;
        tidy();
        mine[me] = (raw == Z -> 0 : NEW_VERSION);
        bytes[me] = raw;
        printf("worker %c reads bytes %e, for version {%d}\n", 65 + me, bytes[me], mine[me])
    :: else -> printf("worker %c finds nothing to read\n", 65 + me)
    fi;
    seen_bytes = nothing; seen_retracts = WITHOUT(seen_retracts, ME);
    tidy()
}

/*
 * 1 and 2 in one go. Where the ledger is written between the two, whatever the worker then does comes to nothing, and it is back at 1; where it is
 * not, it does not matter when it was read. Only for a worker that is fenced it does: it may go from 2 to 6 with what it has read at 1.
 */
inline look() { read_ledger(); look_at_raw() }

inline commit() {
    live = mine[me];
    live_bytes = bytes[me];
    committed = committed | live;
    has_day = has_day || live != 0;
    retracts = false;
    bytes[me] = nothing;
    written = WITHOUT(written, ME);
    PROMISE(retraction_holds, !is_gone);
#ifdef NO_LOOK_AGAIN_SOURCE
    dead[me] = WITHOUT(committed, live);
    tells = has_day;
#endif
    ledger_is_written()
}

inline comes_too_late() {
    printf("worker %c comes too late\n", 65 + me);
    bytes[me] = nothing;
    written = WITHOUT(written, ME)
}

#ifdef RETRACTS_NAME
#define IS_RETRACTED true
#else
#define IS_RETRACTED ((asked & ME) != 0)
#endif

inline commit_retraction() {
    live = 0;
    live_bytes = nothing;
    retracts = IS_RETRACTED;
    is_gone = is_gone || (asked & ME) != 0;
    ledger_is_written()
}

proctype Summarizer(byte me) {
    mtype seen_bytes = nothing;
    bool is_fenced, is_command, is_copy, tells;

resting:
    if
    :: d_step {
            told_source && MAY_BEGIN(0, me) && FREE != 0 ->
            told_source = false;
            working = working | ME;
            printf("worker %c is given the message\n", 65 + me);
            look()
        }
        goto step_3
    :: d_step {     /* Late, or repeated: at any time. */
            raw != nothing && MAY_BEGIN(0, me) && FREE != 0 ->
            is_copy = true;
            working = working | ME;
            printf("worker %c is given a copy of the message\n", 65 + me);
            look()
        }
        goto step_3
#ifdef RETRACTIONS
    :: d_step {     /* What was never summarized cannot be retracted. */
            has_record && MAY_BEGIN(0, me) ->
            is_cut_off = false;
            is_command = true;
            working = working | ME;
            asked = asked | ME;
            fresh = fresh | ME;
            printf("worker %c is to retract, and reads the ledger\n", 65 + me)
        }
        goto retract
#endif
    fi;

#ifdef RETRACTIONS
retract: /* Commit that no version is live. The raw object was looked at after the ledger was read. */
    if
    :: d_step {
            IS_LEDGER_AS_SEEN ->
            printf("worker %c commits the retraction\n", 65 + me);
            commit_retraction();
            asked = WITHOUT(asked, ME);
            is_fenced = true
        }
        goto step_1
    :: d_step {
            IS_LEDGER_AS_SEEN ->
            printf("worker %c commits the retraction, but the answer is lost\n", 65 + me);
            commit_retraction()
        }
        goto retract
    :: d_step {
            !IS_LEDGER_AS_SEEN && (asked & ME) != 0 ->
            fresh = fresh | ME;
            printf("worker %c comes too late to retract, and reads the ledger\n", 65 + me)
        }
        goto retract
    :: d_step {
            !IS_LEDGER_AS_SEEN && (asked & ME) == 0 && FREE != 0 ->
            printf("worker %c finds that a new upload has undone the retraction\n", 65 + me);
            REACHED(retraction_void, true);
            look()
        }
        goto step_3
    :: summarizer_dies() goto resting
    fi;
#endif

step_1:
    if
    :: d_step { true -> read_ledger() }
    :: summarizer_dies() goto resting
    fi;

step_2:
    if
    :: d_step { NEEDS_READING && FREE != 0 -> look_at_raw() }
    :: d_step { !NEEDS_READING -> look_at_raw(); fresh = WITHOUT(fresh, ME) }
        goto step_6
    :: summarizer_dies() goto resting
    fi;

step_3:
    if
    :: d_step { /* 3. Write the day's summary, at a key that no other attempt has. */
            bytes[me] != nothing && (written & ME) == 0 ->
            written = written | ME;
            summaries = summaries | mine[me];
#ifdef DELETES_BEFORE_COMMIT
            summaries = WITHOUT(summaries, (IS_LEDGER_AS_SEEN -> live : 0));
#endif
            printf("worker %c writes the summary of version {%d}\n", 65 + me, mine[me])
        }
        goto step_3
    :: d_step { /* 4. Commit on condition of step 1's etag. */
            (written & ME) != 0 && IS_LEDGER_AS_SEEN ->
            REACHED(late_commit, bytes[me] != raw);
            printf("worker %c commits version {%d}\n", 65 + me, mine[me]);
            is_fenced = true;
            commit();
            mine[me] = 0
        }
#ifdef NO_LOOK_AGAIN_SOURCE
        goto step_6
#else
        goto step_1 /* 5. Won or lost, start again at 1. */
#endif
    :: d_step { /* The same, but the answer is lost: the worker believes that another came first. */
            (written & ME) != 0 && IS_LEDGER_AS_SEEN ->
            REACHED(lost_answer, mine[me] != 0);
            printf("worker %c commits version {%d}, but the answer is lost\n", 65 + me, mine[me]);
            commit()
        }
        goto step_3
    :: d_step { /* The fence: nothing to read, and nothing committed. Use one commit number up, on condition of step 1's etag. */
            bytes[me] == nothing && !is_fenced && IS_LEDGER_AS_SEEN ->
            fresh = WITHOUT(fresh, ME);
            REACHED(fence_wins, true);
            REACHED(fence_beats, NEXT_NUMBER != 0);
#ifdef NO_FENCE
            printf("worker %c writes no fence\n", 65 + me)
#else
            ledger_is_written();
            printf("worker %c uses a commit number up\n", 65 + me)
#endif
        }
        goto step_6
#ifdef NO_LOOK_AGAIN_SOURCE
    :: d_step { !IS_LEDGER_AS_SEEN -> comes_too_late(); end_summarizer() }
        goto resting
#else
    :: d_step { !IS_LEDGER_AS_SEEN && !is_fenced && FREE != 0 -> comes_too_late(); look() }
        goto step_3
    :: d_step { !IS_LEDGER_AS_SEEN && is_fenced -> comes_too_late(); read_ledger() }
        goto step_2
#endif
    :: summarizer_dies() goto resting
    fi;

step_6: /* 6. Delete what is not live, then tell the day; then the message is done. Reconcile may do the first at any time: so both in one go. */
#ifdef DONE_BEFORE_STEP_6
    is_copy = true;
#endif
    if
    :: d_step {
            true ->
            REACHED(superseded_deleted, dead[me] != 0);
            summaries = WITHOUT(summaries, dead[me]);
            printf("worker %c deletes {%d}\n", 65 + me, dead[me]);
            told_day = told_day || tells;
            printf("worker %c is done: the day is told %d\n", 65 + me, tells);
            end_summarizer()
        }
        goto resting
    :: summarizer_dies() goto resting
    fi
}

/* ---- Consolidate the day ---- */
#define NO (me - SUMMARIZERS)

inline end_consolidator() {
    working = WITHOUT(working, ME);
    contained[NO] = 0; counting[NO] = 0;
    tidy()
}

/*
 * A day's message comes back, a command is run again. What makes a consolidator begin again at 1, a write that it lost, a summary that was gone, a
 * write for another source's sake, looks the same to all others: it need not stand here too.
 */
inline consolidator_dies() {
    d_step { true -> printf("consolidator %c begins again, or dies and its message comes back\n", 65 + me); told_day = true; end_consolidator() }
}

inline look_at_day() {
    contained[NO] = pair_days;
    counting[NO] = 0;
    tidy();
    printf("consolidator %c finds {%d} in the day\n", 65 + me, contained[NO])
}

#ifdef NO_DAY_CONDITION
#define IS_DAY_AS_SEEN true
#else
#define IS_DAY_AS_SEEN (pair_days == contained[NO])
#endif

proctype Consolidator(byte me) {
resting:
    if
    :: d_step {     /* Commands and Spark jobs need no message. */
            (told_day || raw != nothing) && MAY_BEGIN(SUMMARIZERS, me) ->
            told_day = false;
            working = working | ME;
            look_at_day()
        }
        goto step_2
    fi;

step_1: /* 1. Look at the day's object and what it contains. */
    if
    :: d_step { true -> look_at_day() }
    :: consolidator_dies() goto resting
    fi;

step_2: /* 2. List the day's summaries. */
    if
    :: d_step {
            true ->
            counting[NO] = summaries;
            printf("consolidator %c lists {%d}\n", 65 + me, counting[NO])
        }
    :: consolidator_dies() goto resting
    fi;
    if
#ifdef NO_LEDGER_CHECK
    :: true -> goto step_4
#else
    :: d_step {     /* The only one that is listed, and contained already, counts without a look at the ledger. */
            !HAS_TWO(counting[NO]) && (counting[NO] & contained[NO]) != 0 ->
            REACHED(shortcut, true);
            printf("consolidator %c lets it count: it is contained\n", 65 + me)
        }
        goto step_4
    :: d_step {     /* What nobody has deleted yet may lie beside it: then the ledger is looked at, for what is live or may yet be. */
            true ->
            counting[NO] = counting[NO] & (live | NEXT_NUMBER);
            tidy()
        }
#endif
    fi;

step_3: /* 3. A summary that is not contained yet counts only if the ledger names its version live. */
    if
    :: d_step {
            true ->
            counting[NO] = counting[NO] & live;
            tidy();
            printf("consolidator %c asks the ledger, and lets {%d} count\n", 65 + me, counting[NO])
        }
    :: consolidator_dies() goto resting
    fi;

step_4: /* 4. Contained equals counting: done. 5. Else write on condition of step 1's etag, and start again at 1. */
    if
    :: d_step {
            contained[NO] == counting[NO] ->
            printf("consolidator %c finds nothing to write\n", 65 + me);
            end_consolidator();
            check_if_quiet()
        }
        goto resting
    :: d_step {
            contained[NO] != counting[NO] && IS_DAY_AS_SEEN ->
            printf("consolidator %c writes {%d} into the day\n", 65 + me, counting[NO]);
            PROMISE(nothing_lost, (pair_days & WITHOUT(live, counting[NO])) == 0);
            pair_days = counting[NO];
            PROMISE(atomicity, !HAS_TWO(pair_days));
            PROMISE(nothing_uncommitted, WITHOUT(pair_days, committed) == 0);
#ifdef NO_LOOK_AGAIN_DAY
            end_consolidator();
            check_if_quiet()
#else
            contained[NO] = 0; counting[NO] = 0;
            tidy()
#endif
        }
#ifdef NO_LOOK_AGAIN_DAY
        goto resting
#else
        goto step_1
#endif
    :: consolidator_dies() goto resting
    fi
}

/* ---- Reconcile: at any time it may use the next commit number up, for an old summary's sake, or delete a summary that is dead for ever ---- */
#ifdef NO_NUMBER
#define DEAD_FOR_EVER WITHOUT(summaries, live)
#else
#define DEAD_FOR_EVER WITHOUT(summaries, live | NEXT_NUMBER)
#endif
#define DELETES(version) \
    d_step { \
        (DEAD_FOR_EVER & version) != 0 -> \
        printf("reconcile deletes {%d}\n", version); \
        summaries = WITHOUT(summaries, version); \
        tidy() \
    }

proctype Reconcile() {
    do
    :: d_step {
            fresh != 0 && has_record ->
            REACHED(number_used_up, NEXT_NUMBER != 0);
            ledger_is_written();
            printf("reconcile uses a commit number up\n")
        }
    :: DELETES(1)
    :: DELETES(2)
#if VERSIONS > 2
    :: DELETES(4)
#endif
#if VERSIONS > 3
    :: DELETES(8)
#endif
#if VERSIONS > 4
    :: DELETES(16)
#endif
    od
}

/* ---- People ---- */
#if UPLOADS > 0
#define MAY_UPLOAD (uploads < UPLOADS)
#else
#define MAY_UPLOAD true
#endif

inline upload(what) {
    raw = what;
    told_source = true;
    is_gone = false;
    is_cut_off = false;
    asked = 0;              /* a new generation: what was asked for, and what was retracted, is not the present one any more */
#ifndef RETRACTS_NAME
    retracts = false;
    seen_retracts = 0;
#endif
#if UPLOADS > 0
    uploads++;
#endif
    printf("bytes %e are uploaded\n", what)
}

proctype People() {
    do
    :: d_step { MAY_UPLOAD -> has_x = true; upload(X) }
    :: d_step { MAY_UPLOAD && has_x -> upload(Y) }  /* after an X: which is which makes no difference */
    :: d_step { MAY_UPLOAD -> upload(Z) }
    od
}

init {
    atomic {
        byte one = 0;
        do
        :: one < SUMMARIZERS -> run Summarizer(one); one++
        :: one >= SUMMARIZERS && one < SUMMARIZERS + CONSOLIDATORS -> run Consolidator(one); one++
        :: else -> break
        od;
        one = 0;
        run Reconcile();
        run People()
    }
}
