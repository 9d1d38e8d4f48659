/** Latest state in memory, as strict as the database of one machine: for histories by the thousand. */
import type { LiveClock } from '#lake/live/device-state';
import { deadlineOf } from '#lake/live/device-state';
import type { Cursor, DeviceItem, LiveEpisode, LiveEvent, StateBatch } from '#lake/live/state-store';

/** All that a program can lose by dying is lost here too: what is kept is text. */
export class MemoryState {
    readonly items = new Map<string, string>();
    readonly #columns = new Map<string, Pick<DeviceItem, 'version' | 'nextSilenceMs' | 'lastReceivedMs'>>();
    readonly alerts = new Map<string, LiveEpisode>();
    readonly events: LiveEvent[] = [];
    #cursor: Cursor | undefined;
    #lateSince: number | undefined;

    cursor(): Cursor | undefined {
        return this.#cursor && { ...this.#cursor };
    }

    async read(devices: readonly string[]): Promise<Map<string, DeviceItem>> {
        return new Map(devices.flatMap((device) => (this.items.has(device) ? [[device, this.item(device)]] : [])));
    }

    async write({ changes, cursor }: StateBatch): Promise<boolean> {
        const isThere = !cursor || (this.#cursor?.stream === cursor.before?.stream && this.#cursor?.sequence === cursor.before?.sequence);
        if (!isThere || changes.some(({ item }) => (this.#columns.get(item.device)?.version ?? 0) !== item.version - 1)) {
            return false;
        }
        for (const { item, alerts, events } of changes) {
            const { device, version, nextSilenceMs, lastReceivedMs } = item;
            this.items.set(device, JSON.stringify(item));
            this.#columns.set(device, { version, nextSilenceMs, lastReceivedMs });
            for (const alert of alerts) {
                this.alerts.set(alert.id, alert);
            }
            this.events.push(...events);
        }
        this.#cursor = cursor?.after ?? this.#cursor;
        return true;
    }

    awaited(clock: LiveClock, limit: number): string[] {
        return [...this.#columns]
            .filter(([, { nextSilenceMs, lastReceivedMs }]) => {
                return nextSilenceMs !== null && clock.watermarkMs > deadlineOf(nextSilenceMs, lastReceivedMs ?? 0, clock);
            })
            .map(([device]) => device)
            .sort()
            .slice(0, limit);
    }

    notePipeline(event: LiveEvent & { kind: 'pipeline_late' | 'pipeline_on_time' }): boolean {
        const since = event.kind === 'pipeline_late' ? event.since_ms : undefined;
        const isChanged = (since === undefined) !== (this.#lateSince === undefined);
        this.#lateSince = since;
        return isChanged;
    }

    pipelineLateSince(): number | undefined {
        return this.#lateSince;
    }

    states(): [] {
        return [];
    }

    noteStates(): void {
        // States are told of what the database says.
    }

    tidy(): void {
        // There is never too much of a short history.
    }

    item(device: string): DeviceItem {
        return JSON.parse(this.items.get(device) ?? '');
    }
}
