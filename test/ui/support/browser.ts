/** A real Chromium, driven by tests. */
import { existsSync } from 'node:fs';
import { afterAll } from '@jest/globals';
import { type Browser, chromium, type Page } from 'playwright-core';

const PROGRAM = process.env.FLOWLAKE_CHROMIUM ?? '/usr/bin/chromium';

/** Nothing that a browser does by itself reaches the network. */
const FLAGS = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
];

export interface PageOptions {
    colorScheme?: 'light' | 'dark';
    /** Width and height in CSS pixels; a phone is 390 by 844. */
    size?: { width: number; height: number };
    isMotionReduced?: boolean;
    /** True for a server whose certificate no authority of the system knows: one of a lake's own. */
    isCertificateTrusted?: boolean;
}

export interface TestBrowser {
    /** A new page in a context of its own: no cookie of another one. */
    newPage(options?: PageOptions): Promise<Page>;
    /** Faults that pages of this browser have reported so far: script errors, refusals of the content security policy. */
    faults: string[];
}

/** Browsers that are open, by the flags that they were started with. */
const open = new Map<string, Browser>();

afterAll(async () => {
    await Promise.all([...open.values()].map((browser) => browser.close()));
    open.clear();
});

/** Starts a Chromium, which the caller closes. @throws where none is installed, with what to do */
export async function launchChromium(flags: readonly string[] = []): Promise<Browser> {
    if (!existsSync(PROGRAM)) {
        throw new Error(`No Chromium at ${PROGRAM}: apt-get install chromium, or name one by FLOWLAKE_CHROMIUM`);
    }
    return chromium.launch({ executablePath: PROGRAM, args: [...FLAGS, ...flags] });
}

/** The browser of this test file, started when it is first asked for; another one for other `flags`. @throws where no Chromium is installed, with what to do */
export async function openBrowser({ flags = [] }: { flags?: readonly string[] } = {}): Promise<TestBrowser> {
    const key = flags.join(' ');
    const opened = open.get(key) ?? (await launchChromium(flags));
    open.set(key, opened);
    const faults: string[] = [];
    return {
        faults,
        async newPage({
            colorScheme = 'light',
            size = { width: 1280, height: 900 },
            isMotionReduced = false,
            isCertificateTrusted = false,
        } = {}) {
            const context = await opened.newContext({
                colorScheme,
                viewport: size,
                reducedMotion: isMotionReduced ? 'reduce' : 'no-preference',
                serviceWorkers: 'block',
                ignoreHTTPSErrors: isCertificateTrusted,
            });
            const page = await context.newPage();
            page.on('pageerror', (error) => faults.push(`script: ${error.message}`));
            page.on('console', (message) => {
                if (message.type() === 'error') {
                    faults.push(`console: ${message.text()}`);
                }
            });
            return page;
        },
    };
}
