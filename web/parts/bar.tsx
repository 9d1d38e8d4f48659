/** A share as a bar, with its number beside it. */

/** `share` is 0 to 1; `label` says it in words or digits. */
export function Bar({ share, label }: { share: number; label: string }) {
    const percent = Math.min(100, Math.max(0, share * 100));
    return (
        <span class="bar">
            <span class="bar-track" aria-hidden="true">
                <span class="bar-fill" style={{ width: `${percent}%` }} />
            </span>
            <span class="bar-label">{label}</span>
        </span>
    );
}
