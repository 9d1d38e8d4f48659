/** All screens, in the order of the navigation. */
import type { Screen } from './screen.ts';

export const SCREENS: readonly Screen[] = [
    { path: '/', title: 'Today', key: 't', load: () => import('./screens/today.tsx') },
    { path: '/fleet', title: 'Fleet', key: 'f', load: () => import('./screens/fleet.tsx') },
    { path: '/device', title: 'Device', load: () => import('./screens/device.tsx') },
    { path: '/pairs', title: 'Pairs', key: 'p', load: () => import('./screens/pairs.tsx') },
    { path: '/pair', title: 'Pair', load: () => import('./screens/pair.tsx') },
    { path: '/compare', title: 'Compare', key: 'c', load: () => import('./screens/compare.tsx') },
    { path: '/alerts', title: 'Alerts', key: 'a', load: () => import('./screens/alerts.tsx') },
    { path: '/quality', title: 'Quality', key: 'q', load: () => import('./screens/quality.tsx') },
    { path: '/ask', title: 'Ask', key: 's', load: () => import('./screens/ask.tsx') },
    { path: '/about', title: 'About', key: 'l', load: () => import('./screens/about.tsx') },
];
