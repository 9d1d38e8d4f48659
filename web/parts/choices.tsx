/** A few ways to look at the same thing, one of which is chosen: plain links, so that each has an address. */
import type { ComponentChildren } from 'preact';

export interface Choice {
    title: ComponentChildren;
    address: string;
    isChosen: boolean;
}

export function Choices({ label, choices }: { label: string; choices: readonly Choice[] }) {
    return (
        <nav class="choices" aria-label={label}>
            <span class="choices-label" aria-hidden="true">
                {label}
            </span>
            {choices.map(({ title, address, isChosen }) => (
                <a key={address} href={address} aria-current={isChosen ? 'true' : undefined}>
                    {title}
                </a>
            ))}
        </nav>
    );
}
