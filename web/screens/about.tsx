/** What this is: which lake, and by which version it is shown. */
import type { ComponentChildren } from 'preact';
import { askServer } from '../ask-server.ts';
import { Title } from '../parts/notes.tsx';
import { useAbout } from '../shell/about-context.ts';

export default function AboutScreen() {
    const { lake, kind, version, isPaid, hasLive, hasApi } = useAbout();
    return (
        <>
            <Title>About</Title>
            <section class="card">
                <table class="plain">
                    <tbody>
                        <Row name="Lake">
                            <code>{lake}</code>, {kind === 'directory' ? 'a directory' : 'deployed on AWS'}
                        </Row>
                        <Row name="Shown by">flowlake {version}</Row>
                        <Row name="Reading">
                            {isPaid ? 'Athena answers, which is paid by what it reads: every page says so before it asks' : 'costs nothing'}
                        </Row>
                        <Row name="Latest state of devices">{hasLive ? 'is known' : 'is not known: flowlake serve keeps it'}</Row>
                        <Row name="What happens now">
                            {hasApi
                                ? 'is shown as it happens'
                                : 'is shown when a page is asked again: the pages of flowlake serve follow it'}
                        </Row>
                        <Row name="Times">are UTC, and so are days</Row>
                    </tbody>
                </table>
                <button type="button" onClick={logOut}>
                    Log out
                </button>
            </section>
        </>
    );
}

/** Ends the session, and shows what is shown to who has none. */
function logOut(): void {
    const reload = () => location.reload();
    askServer('/session', { method: 'DELETE' }).then(reload, reload);
}

function Row({ name, children }: { name: string; children: ComponentChildren }) {
    return (
        <tr>
            <th scope="row">{name}</th>
            <td>{children}</td>
        </tr>
    );
}
