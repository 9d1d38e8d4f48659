/** All pages of the web application. */
import type { Page } from './page.ts';

export const PAGES: readonly Page[] = [];
