/** The frame around every screen: navigation, keys, theme, and the screen that the address names. */
import type { ComponentType } from 'preact';
import { useCallback, useEffect, useState } from 'preact/hooks';
import { type About, askServer, NoAnswer, type Problem, SIGNED_OUT } from '../ask-server.ts';
import { Title } from '../parts/notes.tsx';
import type { Screen, ScreenProps } from '../screen.ts';
import { SCREENS } from '../screens.ts';
import { AboutContext } from './about-context.ts';
import { Failed, Waiting } from './answer.tsx';
import { Help } from './help.tsx';
import { useKeys } from './keys.ts';
import { LogIn } from './log-in.tsx';
import { Navigation } from './navigation.tsx';
import { go, hasMoved, useLocation } from './router.ts';

type Start = { is: 'starting' } | { is: 'signed out' } | { is: 'failed'; problem: Problem } | { is: 'open'; about: About };

export function App() {
    const location = useLocation();
    const [start, setStart] = useState<Start>({ is: 'starting' });
    const [isHelpOpen, setHelpOpen] = useState(false);

    const begin = useCallback(() => {
        askServer<About>('/pages/about').then(
            (about) => setStart({ is: 'open', about }),
            (error: unknown) => {
                const problem =
                    error instanceof NoAnswer ? error.problem : { status: 0, title: 'This page is broken', detail: String(error) };
                setStart(problem.status === 401 ? { is: 'signed out' } : { is: 'failed', problem });
            },
        );
    }, []);

    useEffect(() => {
        const signedOut = () => setStart({ is: 'signed out' });
        addEventListener(SIGNED_OUT, signedOut);
        begin();
        return () => removeEventListener(SIGNED_OUT, signedOut);
    }, [begin]);

    useKeys({ help: () => setHelpOpen(true) });

    const screen = SCREENS.find(({ path }) => path === location.path);
    switch (start.is) {
        case 'starting':
            return (
                <main class="alone">
                    <h1 class="hidden">flowlake</h1>
                    <Waiting />
                </main>
            );
        case 'signed out':
            return <LogIn onDone={begin} />;
        case 'failed':
            return <Stopped problem={start.problem} again={begin} />;
        case 'open':
            return (
                <AboutContext.Provider value={start.about}>
                    {/* biome-ignore lint/a11y/useValidAnchor: it leads to a place of this page; the address, which is the screen's, stays */}
                    <a class="skip" href="#content" onClick={skip}>
                        Skip to the content
                    </a>
                    <Navigation path={location.path} onHelp={() => setHelpOpen(true)} />
                    <main id="content" tabIndex={-1}>
                        {screen ? <ScreenOf key={screen.path} screen={screen} query={location.query} /> : <NoScreen path={location.path} />}
                    </main>
                    <Help isOpen={isHelpOpen} onClose={() => setHelpOpen(false)} />
                </AboutContext.Provider>
            );
    }
}

function skip(event: MouseEvent): void {
    event.preventDefault();
    document.getElementById('content')?.focus();
}

/** The screen, once its chunk is there. */
function ScreenOf({ screen, query }: { screen: Screen; query: URLSearchParams }) {
    const [loaded, setLoaded] = useState<{ component: ComponentType<ScreenProps> } | { problem: Problem }>();
    const [round, setRound] = useState(0);
    useEffect(() => {
        let isWanted = true;
        screen.load().then(
            ({ default: component }) => isWanted && setLoaded({ component }),
            (error: unknown) =>
                isWanted &&
                setLoaded({ problem: { status: 0, title: 'No connection', detail: `This screen cannot be loaded (${error})` } }),
        );
        return () => {
            isWanted = false;
        };
    }, [screen, round]);
    useEffect(() => {
        document.title = `${screen.title} · flowlake`;
        // Who moves by keyboard or listens goes on at the new screen’s beginning; a page that was just opened is left as it is.
        if (loaded && hasMoved()) {
            document.getElementById('content')?.focus();
        }
    }, [loaded]);
    if (!loaded) {
        return (
            <>
                <Title>{screen.title}</Title>
                <Waiting />
            </>
        );
    }
    if ('problem' in loaded) {
        return (
            <>
                <Title>{screen.title}</Title>
                <Failed problem={loaded.problem} again={() => setRound(round + 1)} />
            </>
        );
    }
    const { component: Component } = loaded;
    return <Component query={query} go={go} />;
}

function NoScreen({ path }: { path: string }) {
    return (
        <section class="notice">
            <h1>There is no such page</h1>
            <p>Nothing is at {path}. The navigation leads to everything that there is.</p>
        </section>
    );
}

function Stopped({ problem, again }: { problem: Problem; again: () => void }) {
    return (
        <main class="alone">
            <h1 class="hidden">flowlake</h1>
            <Failed problem={problem} again={again} />
        </main>
    );
}
