/** What each view of the fleet gets. */
import type { ScreenProps } from '../../screen.ts';

export interface FleetProps extends ScreenProps {
    /** Days of history that count, both inclusive. */
    from: string;
    to: string;
}
