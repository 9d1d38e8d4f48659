/** All screens, in the order of the navigation. */
import type { Screen } from './screen.ts';

export const SCREENS: readonly Screen[] = [{ path: '/about', title: 'About', key: 'l', load: () => import('./screens/about.tsx') }];
