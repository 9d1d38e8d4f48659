/** Reads what the address of a page says. */
import { type ParameterFault, Problem } from '#lake/live/api/problem';
import type { Page } from '#lake/pages/page';

/** The parameters as the page wants them. @throws Problem that names each that is wrong */
export function readParameters<P>({ name, parameters }: Page<P>, search: URLSearchParams): P {
    const texts = new Map<string, string>();
    for (const [key, value] of search) {
        if (texts.has(key)) {
            throw wrong([fault(key, 'It stands there twice.')]);
        }
        texts.set(key, value);
    }
    const read = parameters.safeParse(Object.fromEntries(texts));
    if (read.success) {
        return read.data;
    }
    throw wrong(
        read.error.issues.flatMap((issue) =>
            issue.code === 'unrecognized_keys'
                ? issue.keys.map((key) => fault(key, `Page ${name} has no such parameter.`))
                : [fault(String(issue.path[0] ?? ''), issue.message)],
        ),
    );
}

function fault(name: string, detail: string): ParameterFault {
    // Whatever was made up is not answered at length.
    return { in: 'query', name: name.slice(0, 100), detail };
}

function wrong(faults: readonly ParameterFault[]): Problem {
    return new Problem('bad_parameter', faults.map(({ name, detail }) => `${name}: ${detail}`).join(' '), { parameters: faults });
}
