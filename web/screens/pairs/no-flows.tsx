/** Said where a lake has no flows at all. */
import { Empty } from '../../parts/notes.tsx';
import { useAbout } from '../../shell/about-context.ts';

export function NoFlowsYet() {
    const { lake } = useAbout();
    return (
        <Empty title="This lake has no flows yet">
            <p>
                Files of flows go in by <code>flowlake --lake {lake} upload FILES</code>.
            </p>
        </Empty>
    );
}
