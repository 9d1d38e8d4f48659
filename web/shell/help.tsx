/** The list of keys. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { SCREENS } from '../screens.ts';
import { areKeysOn, switchKeys } from './keys.ts';

export function Help({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
    const dialog = useRef<HTMLDialogElement>(null);
    const [areOn, setOn] = useState(areKeysOn);
    useEffect(() => {
        if (isOpen) {
            dialog.current?.showModal();
        } else {
            dialog.current?.close();
        }
    }, [isOpen]);
    return (
        <dialog ref={dialog} onClose={onClose} aria-labelledby="help-title">
            <h2 id="help-title">Keys</h2>
            <table class="plain">
                <tbody>
                    {SCREENS.flatMap(({ key, title, path }) =>
                        key === undefined ? [] : [<Key key={path} keys={['g', key]} does={title} />],
                    )}
                    <Key keys={['/']} does="Search on this screen" />
                    <Key keys={['?']} does="This list" />
                    <Key keys={['Esc']} does="Close it" />
                </tbody>
            </table>
            <label class="check">
                <input
                    type="checkbox"
                    checked={areOn}
                    onChange={({ currentTarget }) => {
                        switchKeys(currentTarget.checked);
                        setOn(currentTarget.checked);
                    }}
                />
                Letters are keys: switch it off where they come by chance, as from speech
            </label>
            <button type="button" class="primary" onClick={() => dialog.current?.close()}>
                Close
            </button>
        </dialog>
    );
}

function Key({ keys, does }: { keys: readonly string[]; does: string }) {
    return (
        <tr>
            <th scope="row">
                {keys.map((key) => (
                    <kbd key={key}>{key}</kbd>
                ))}
            </th>
            <td>{does}</td>
        </tr>
    );
}
