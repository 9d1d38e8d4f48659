/** The views that a lake's inputs are made into: `readings_wide_<profile>`. */
import { listInputs, readInput } from '#lake/inputs';
import { kinds } from '#lake/kinds';
import type { ObjectStore } from '#lake/store/object-store';

/** The views that the words name, as the lake's inputs are now; all of them where no words are given. */
export async function viewsOfInputs(store: ObjectStore, words?: ReadonlySet<string>): Promise<{ name: string; sql: string }[]> {
    const views: { name: string; sql: string }[] = [];
    for (const { inputs } of kinds) {
        const { prefix = '', viewPrefix, viewOf } = inputs ?? {};
        if (!viewOf || viewPrefix === undefined || (words && ![...words].some((word) => word.startsWith(viewPrefix)))) {
            continue;
        }
        for (const { name } of await listInputs(store, prefix)) {
            const input = await readInput(store, prefix, name);
            const view = input && (await viewOf(input.document));
            if (view && (!words || words.has(view.name))) {
                views.push(view);
            }
        }
    }
    return views;
}
