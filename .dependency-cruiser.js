/**
 * Who may import whom. Arrows point inwards: cli -> use cases and adapters -> ports -> core. Each comment says what to do instead.
 * test/architecture.test.ts runs these rules over the tree, and over a copy with one bad import for each of them.
 */

const PORTS = '^lake/(store/object-store|query/query-engine|queue/message-queue|jobs/job-runs)\\.ts$';

/** Folders of adapters. lake/aws is what the adapters of AWS share. */
const ADAPTERS = '^lake/(store|query|queue|jobs)/';

/** Files that ask AWS how a deployment is set up. */
const FACTS = '^lake/doctor/[a-z]+-facts\\.ts$';

/** AWS's side of live telemetry: adapters of Kinesis, DynamoDB, IoT Core, SNS. */
const CLOUD = '^lake/cloud/';

/** What every part of the lake may know: names and places, and which kinds of data there are. No behaviour. */
const VOCABULARY = '^lake/(devices-table|errors|tables|layout|kind|kinds|package-root|deployment|say-size)\\.ts$';

/** Use cases, and what they are written in. */
const USE_CASES = '^lake/([^/]+\\.ts$|(commit|upload|reports|work)/)';

/** Files that name and choose the adapters of a lake. */
const OPENERS = '^lake/(lake|open-answers|open-bucket-lake|open-lake)\\.ts$';

const SDKS = 'node_modules/(@duckdb|@aws-sdk)/';

/** Built-ins that reach out of the program. */
const WORLD = '^(fs|fs/promises|tls|http|https|http2|dgram|dns|dns/promises|child_process|cluster)$';

const forbidden = [
    {
        name: 'no-cycles',
        comment: 'Move what both files need into the one that knows less, or into a third that is named after it.',
        from: {},
        to: { circular: true },
    },
    {
        name: 'everything-resolves',
        comment: 'Across folders import `#lake/x` (no extension), inside one folder `./x.ts`; add a new package to package.json.',
        from: {},
        to: { couldNotResolve: true },
    },
    {
        name: 'nobody-imports-test',
        comment:
            'What the program needs belongs into lake/ or cli/; tests import it from there. (The bench may stand on what tests stand on.)',
        from: { pathNot: '^((test|bench)/|jest\\.config\\.js$)' },
        to: { path: '^test/' },
    },
    {
        name: 'nobody-imports-a-tool',
        comment: 'bench/, docs/ and build.ts are run, not imported: move the shared part into lake/. (Tests may call the build.)',
        from: { pathNot: '^(test|bench|docs)/' },
        to: { path: '^(bench/|docs/|build\\.ts$)' },
    },
    {
        name: 'lake-knows-nobody',
        comment: 'lake/ is the heart: take what you need as an argument, and let cli/ pass it in.',
        from: { path: '^lake/' },
        to: { path: '^(cli|lambdas|cdk|glue-jobs|sample)/' },
    },
    {
        name: 'flows-know-only-themselves',
        comment:
            'lake/flows turns bytes into rows and knows the words of a kind (errors, kind, tables, addresses, and rows with how they merge) beside itself: pass bytes and options in.',
        from: { path: '^lake/flows/' },
        to: {
            pathNot: [
                '^lake/flows/',
                '^lake/(addresses|errors|kind|merge-rows|rows|tables|text-list|typed-rows)\\.ts$',
                'node_modules/hyparquet/',
            ],
            dependencyTypesNot: ['core', 'unknown'],
        },
    },
    {
        name: 'flows-touch-no-world',
        comment: 'lake/flows reads no file and calls no program: the use case opens the source and passes its bytes in.',
        from: { path: '^lake/flows/' },
        to: { path: WORLD, dependencyTypes: ['core'] },
    },
    {
        name: 'telemetry-knows-itself-and-bytes',
        comment:
            'lake/telemetry turns messages into rows and knows the words of a kind beside itself, and of lake/flows how bytes are unpacked, texts cut into cells, other files told ' +
            'and beginnings hashed: pass documents and options in.',
        from: { path: '^lake/telemetry/' },
        to: {
            pathNot: [
                '^lake/telemetry/',
                '^lake/(errors|kind|merge-rows|rows|tables|text-list|typed-parts|typed-rows)\\.ts$',
                '^lake/flows/(decompress|first-flows|zstd-frames|formats/(csv-row|other-files))\\.ts$',
                'node_modules/(ajv|cborg|protobufjs)/',
            ],
            dependencyTypesNot: ['core', 'unknown'],
        },
    },
    {
        name: 'telemetry-touches-no-world',
        comment: 'lake/telemetry reads no file and calls no program: the use case opens the source and passes its bytes in.',
        from: { path: '^lake/telemetry/' },
        to: { path: WORLD, dependencyTypes: ['core'] },
    },
    {
        name: 'live-is-for-both-homes',
        comment:
            'lake/live is shared by one machine and AWS: take a port or a service as an argument; lake/serve, or a handler, brings the adapter.',
        from: { path: '^lake/live/' },
        to: { path: [ADAPTERS, CLOUD, '^lake/(aws|here|serve)/'], pathNot: PORTS },
    },
    {
        name: 'cloud-and-serve-are-two-homes',
        comment: 'lake/cloud is live telemetry on AWS, lake/serve on one machine: what both need stands in lake/live.',
        from: { path: CLOUD },
        to: { path: '^lake/(serve|here)/' },
    },
    {
        name: 'live-touches-no-world',
        comment: 'lake/live opens no file, socket or database: what one machine has stands in lake/serve.',
        from: { path: '^lake/live/' },
        to: { path: [WORLD, '^(net|sqlite|worker_threads)$'], dependencyTypes: ['core'] },
    },
    {
        name: 'use-cases-know-ports-not-adapters',
        comment: 'Take the port (ObjectStore, QueryEngine) as an argument; lake/open-lake.ts chooses the adapter.',
        from: { path: USE_CASES, pathNot: OPENERS },
        to: { path: [ADAPTERS, '^lake/aws/'], pathNot: PORTS },
    },
    {
        name: 'work-here-is-for-directories',
        comment:
            'lake/here does the work of a directory lake, under its marks. Take Workers as an argument; an edge, an upload, or what serves a directory chooses them.',
        from: { path: '^lake/', pathNot: '^lake/(here|upload|serve)/' },
        to: { path: '^lake/here/' },
    },
    {
        name: 'upload-knows-its-rooms',
        comment:
            'lake/upload is called by any edge and knows words, ports, commit, here and work: ask a Kind for what is special of it, tell by events.',
        from: { path: '^lake/upload/' },
        to: { path: '^lake/', pathNot: ['^lake/(upload|commit|here|work)/', '^lake/[^/]+\\.ts$', PORTS] },
    },
    {
        name: 'commit-names-no-kind',
        comment:
            'The commit rules, the words and who does the work are the same for every kind of data: take the kind from lake/kinds.ts by a raw key or a table, and ask it.',
        from: { path: ['^lake/(commit|here|work|doctor|reports)/', '^lake/(?!kinds\\.ts$)[^/]+\\.ts$'] },
        to: { path: '^lake/(flows|verify/flows)/' },
    },
    {
        name: 'adapters-know-their-port',
        comment: 'An adapter does what its port says and decides nothing: move the rule into the use case, or pass the value in.',
        from: { path: '^lake/(store|query|queue|jobs)/' },
        to: { path: '^lake/', pathNot: ['^lake/$1/', '^lake/aws/', VOCABULARY] },
    },
    {
        name: 'sdks-stay-in-their-adapters',
        comment:
            'Only lake/store, query, queue, jobs and cloud talk to DuckDB or AWS (and the facts of lake/doctor): add what you need to the port and its adapters. (lake/verify is a second ' +
            'reader on purpose and has an engine of its own.)',
        from: { pathNot: [ADAPTERS, CLOUD, FACTS, '^lake/verify/engine\\.ts$', '^(test|bench)/'] },
        to: { path: SDKS },
    },
    {
        name: 'the-judge-names-no-kind',
        comment:
            'lake/verify judges any kind: take the tables and the second reader from the Kind that is given. (lake/kinds.ts alone says which second reader is whose.)',
        from: { path: '^lake/(verify/[^/]+|kind)\\.ts$' },
        to: { path: '^lake/(flows|telemetry|verify/[^/]+)/' },
    },
    {
        name: 'second-reader-shares-nothing-with-the-first',
        comment:
            'lake/verify/flows reads files its own way, by docs/reading.md: of lake/flows it may know the words of the tables, and else write it again.',
        from: { path: '^lake/verify/flows/' },
        to: { path: '^lake/flows/', pathNot: '^lake/flows/tables\\.ts$' },
    },
    {
        name: 'second-reader-of-telemetry-shares-nothing-with-the-first',
        comment:
            'lake/verify/telemetry reads messages its own way, by docs/profiles.md and docs/reading-telemetry.md: write it again there.',
        from: { path: '^lake/verify/telemetry/' },
        to: { path: '^lake/telemetry/' },
    },
    {
        name: 'cli-never-a-handler',
        comment: 'A command and a handler share a use case: call that one in lake/.',
        from: { path: '^cli/' },
        to: { path: '^(lambdas|cdk|glue-jobs)/' },
    },
    {
        name: 'edges-name-no-kind',
        comment: 'cli/ and lambdas/ work with every kind of data: take it from lake/kinds.ts, and add what you need to the interface Kind.',
        from: { path: '^(cli|lambdas)/' },
        to: { path: '^lake/(flows|verify/flows)/' },
    },
    {
        name: 'cdk-describes',
        comment:
            'cdk/ knows kinds, tables, names and SQL files of the lake and the paths of handlers, never what works with them: pass plain data.',
        from: { path: '^cdk/', pathNot: '^cdk/generate-view-columns\\.ts$' },
        to: {
            path: '^(lake|lambdas|cli|glue-jobs)/',
            pathNot: [VOCABULARY, '^lake/query/sql-files\\.ts$', '^lake/[a-z]+/tables\\.ts$', '^lake/cloud/[a-z]+-table\\.ts$'],
        },
    },
    {
        name: 'web-runs-in-a-browser',
        comment:
            'web/ is what a browser runs: of lake/ it may know types (`import type`) and how rows are written as CSV and JSON, and nothing else that runs; ask the server, which answers by a page of lake/pages/.',
        from: { path: '^web/' },
        to: {
            path: '^(lake|cli|lambdas|cdk|sample|glue-jobs)/',
            pathNot: '^lake/(csv|json-rows)\\.ts$',
            dependencyTypesNot: ['type-only'],
        },
    },
    {
        name: 'nobody-runs-web',
        comment: 'The build bundles web/ for the browser, and nothing else stands on it: move the shared part into lake/.',
        from: { pathNot: '^(web/|test/)' },
        to: { path: '^web/' },
    },
    {
        name: 'pages-know-no-server',
        comment: 'A page of lake/pages/ gets all it needs in its PageContext: it knows no request, session or socket.',
        from: { path: '^lake/pages/[^/]+\\.ts$' },
        to: { path: '^lake/(pages/server|serve)/' },
    },
    {
        name: 'commands-stand-alone',
        comment: 'Commands do not import each other: share through lake/ or a file of cli/ (demo runs others by `invoke`).',
        from: { path: '^cli/commands/([^/]+)/' },
        to: { path: '^cli/commands/', pathNot: '^cli/commands/$1/' },
    },
];

export default {
    forbidden: forbidden.map((rule) => ({ severity: 'error', ...rule })),
    options: {
        // The parser that understands TypeScript here: dependency-cruiser does not know the compiler of TypeScript 7.
        parser: 'swc',
        doNotFollow: { path: 'node_modules' },
        exclude: { path: '^(dist|test/fixtures)/' },
        enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
    },
};
