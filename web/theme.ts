/** Sets the theme before anything is drawn, so that no page flashes in another one. Runs by itself, ahead of the application. */
import { applyTheme, readTheme } from './shell/theme-choice.ts';

applyTheme(readTheme());
