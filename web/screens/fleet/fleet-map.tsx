/** Shows where the devices are. Outlines come with the application: no server of maps is asked. A table of the same stands below the picture. */
import { type GeoProjection, geoMercator, geoPath } from 'd3-geo';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import Supercluster from 'supercluster';
import { feature, mesh } from 'topojson-client';
import world from 'world-atlas/countries-110m.json';
import type { FleetMap as FleetMapAnswer } from '../../../lake/pages/fleet-map.ts';
import { type DeviceState, StateMark } from '../../parts/device-marks.tsx';
import { Filters } from '../../parts/filters.tsx';
import { withChoices } from '../../parts/link.tsx';
import { Empty } from '../../parts/notes.tsx';
import { groupDigits } from '../../parts/quantity.ts';
import { Table } from '../../parts/table.tsx';
import { useEvents } from '../../parts/use-events.ts';
import { useAbout } from '../../shell/about-context.ts';
import { Answer } from '../../shell/answer.tsx';
import { usePage } from '../../use-page.ts';
import { deviceAddress } from './device-address.ts';
import type { FleetProps } from './fleet-props.ts';

/** Pixels of the world at zoom 0, as supercluster counts zoom. */
const WORLD_PX = 512;
const HEIGHT = 480;
const MAX_ZOOM = 16;

/** Nobody who asks for all devices of a town wants to stand at one's door. */
const MAX_FIT_ZOOM = 10;

/** Share of the picture that stays free around what is fitted into it. */
const FREE = 0.15;

/** Rows of the table below. */
const MAX_ROWS = 200;

const LAND = feature(world, world.objects.land);
const BORDERS = mesh(world, world.objects.countries, (a, b) => a !== b);

export function FleetMap(props: FleetProps) {
    const { query, go, from, to } = props;
    const read = (name: string) => query.get(name) ?? undefined;
    const { hasLive } = useAbout();
    const chosen = { profile: read('profile'), site: read('site'), prefix: read('prefix') };
    const page = usePage<FleetMapAnswer>('fleet-map', { from, to, at: read('at'), ...chosen });
    useEvents(['raised', 'cleared'], () => page.state === 'ready' && page.again());
    return (
        <>
            {!hasLive && (
                <p class="about-view">
                    {read('at') === 'end' ? 'States as they were at the newest reading. ' : 'States as of now. '}
                    <a href={withChoices('/fleet', query, { at: read('at') === 'end' ? undefined : 'end' })}>
                        {read('at') === 'end' ? 'As of now' : 'As they were at the newest reading'}
                    </a>
                </p>
            )}
            <Answer of={page}>
                {(map) => (
                    <>
                        <Filters
                            {...{ path: '/fleet', query, go }}
                            resets={['map']}
                            filters={[
                                { name: 'prefix', label: 'Device begins with', kind: 'search' },
                                {
                                    name: 'site',
                                    label: 'Site',
                                    kind: 'choice',
                                    options: map.sites.map((value) => ({ value, title: value })),
                                },
                                {
                                    name: 'profile',
                                    label: 'Profile',
                                    kind: 'choice',
                                    options: map.profiles.map((value) => ({ value, title: value })),
                                },
                            ]}
                        />
                        {map.device.length === 0 ? <Nowhere unplaced={map.unplaced} /> : <Placed {...{ ...props, map }} />}
                    </>
                )}
            </Answer>
        </>
    );
}

function Nowhere({ unplaced }: { unplaced: number }) {
    return (
        <Empty title={unplaced === 0 ? 'No device is like that' : 'Nobody knows where these devices are'}>
            <p>
                A device is on the map by its metrics <code>latitude</code> and <code>longitude</code>, or by what the registry says:{' '}
                <code>flowlake device add ID --place geo:52.52,13.405</code>
            </p>
        </Empty>
    );
}

interface Counts {
    silent: number;
    alerted: number;
}

interface Device extends Counts {
    device: string;
    site: string;
    state: DeviceState;
}

interface View {
    longitude: number;
    latitude: number;
    zoom: number;
}

function Placed({ map, query, go }: FleetProps & { map: FleetMapAnswer }) {
    const clusters = useMemo(() => clustersOf(map), [map]);
    const frame = useRef<HTMLDivElement>(null);
    const [width, setWidth] = useState(0);
    useEffect(() => {
        const element = frame.current;
        if (!element) {
            return;
        }
        setWidth(element.clientWidth);
        const sized = new ResizeObserver(() => setWidth(element.clientWidth));
        sized.observe(element);
        return () => sized.disconnect();
    }, []);

    const all = useMemo(() => viewOfAll(map, width), [map, width]);
    const [dragged, setDragged] = useState<View>();
    const view = dragged ?? viewIn(query.get('map')) ?? all;
    const projection = projectionOf(view, width);
    const addressOfView = (to: View | undefined) => withChoices('/fleet', query, { map: to && sayView(to) });
    const show = (to: View) => go('/fleet', { ...Object.fromEntries(query), map: sayView(to) }, { replace: true });
    const found = width === 0 ? [] : clusters.getClusters(boundsOf(projection, width), Math.floor(view.zoom));
    const shown = found.map((one) => toShown(one, { clusters, projection, addressOfView, view }));
    const drag = useDrag({ projection, view, setDragged, show });

    return (
        <>
            <p class="small">
                {groupDigits(String(map.device.length))} devices are on the map
                {map.unplaced > 0 && `, and of ${groupDigits(String(map.unplaced))} nobody knows where they are`}. Drag the map, use its
                buttons, or the arrow keys; a circle with a number opens what is in it. The table below has the same.
            </p>
            <div class="map-frame">
                <div
                    ref={frame}
                    class="map"
                    role="application"
                    aria-label={`Map of ${map.device.length} devices; arrow keys move it, plus and minus zoom`}
                    // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys move the map
                    tabIndex={0}
                    style={{ height: `${HEIGHT}px` }}
                    {...drag}
                    onKeyDown={(event) => {
                        const next = event.target === event.currentTarget ? moveBy(event.key, { view, projection, width }) : undefined;
                        if (next) {
                            event.preventDefault();
                            show(next);
                        }
                    }}
                >
                    <svg width={width} height={HEIGHT} aria-hidden="true">
                        <path class="land" d={geoPath(projection)(LAND) ?? ''} />
                        <path class="borders" d={geoPath(projection)(BORDERS) ?? ''} />
                    </svg>
                    {shown.map((one) => (
                        <Marker key={one.key} place={one} />
                    ))}
                </div>
                <div class="map-buttons">
                    <a class="button" href={addressOfView({ ...view, zoom: Math.min(MAX_ZOOM, view.zoom + 1) })} aria-label="Zoom in">
                        +
                    </a>
                    <a class="button" href={addressOfView({ ...view, zoom: Math.max(0, view.zoom - 1) })} aria-label="Zoom out">
                        −
                    </a>
                    <a class="button" href={addressOfView(undefined)}>
                        All
                    </a>
                </div>
            </div>
            <InView shown={shown} />
        </>
    );
}

type Index = Supercluster<Device, Counts>;

function clustersOf(map: FleetMapAnswer): Index {
    const index = new Supercluster<Device, Counts>({
        radius: 60,
        maxZoom: MAX_ZOOM,
        map: ({ silent, alerted }) => ({ silent, alerted }),
        reduce: (sum, one) => {
            sum.silent += one.silent;
            sum.alerted += one.alerted;
        },
    });
    return index.load(
        map.device.map((device, at) => ({
            type: 'Feature',
            properties: {
                device,
                site: map.site[at] ?? '',
                state: map.state[at] ?? 'unknown',
                silent: map.state[at] === 'silent' ? 1 : 0,
                alerted: (map.openAlerts[at] ?? 0) > 0 ? 1 : 0,
            },
            geometry: { type: 'Point', coordinates: [map.longitude[at] ?? 0, map.latitude[at] ?? 0] },
        })),
    );
}

function projectionOf({ longitude, latitude, zoom }: View, width: number): GeoProjection {
    return geoMercator()
        .scale((WORLD_PX * 2 ** zoom) / (2 * Math.PI))
        .center([longitude, latitude])
        .translate([width / 2, HEIGHT / 2])
        .clipExtent([
            [-20, -20],
            [width + 20, HEIGHT + 20],
        ]);
}

/** Mercator has no poles. */
const MOST_NORTH = 85;

/** The view that has all devices in it. */
function viewOfAll({ longitude, latitude }: FleetMapAnswer, width: number): View {
    const [west, east] = edgesOf(longitude);
    const [south, north] = edgesOf(latitude);
    const y = (of: number) =>
        Math.log(Math.tan(Math.PI / 4 + (Math.min(MOST_NORTH, Math.max(-MOST_NORTH, of)) * Math.PI) / 360)) / (2 * Math.PI);
    const shares = [(east - west) / 360 / Math.max(1, width * (1 - FREE)), (y(north) - y(south)) / (HEIGHT * (1 - FREE))];
    const zoom = Math.log2(1 / Math.max(...shares, 1e-9) / WORLD_PX);
    const middle = (y(north) + y(south)) / 2;
    return {
        longitude: (west + east) / 2,
        latitude: (Math.atan(Math.exp(middle * 2 * Math.PI)) * 360) / Math.PI - 90,
        zoom: Math.min(MAX_FIT_ZOOM, Math.max(0, zoom)),
    };
}

function edgesOf(values: readonly (number | null)[]): [number, number] {
    return values.reduce<[number, number]>(
        ([least, most], value) => [Math.min(least, value ?? least), Math.max(most, value ?? most)],
        [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
    );
}

/** `longitude,latitude,zoom`; undefined for what is no view. */
function viewIn(text: string | null): View | undefined {
    const [longitude = Number.NaN, latitude = Number.NaN, zoom = Number.NaN] = (text ?? '').split(',').map(Number);
    const isView = Math.abs(longitude) <= 180 && Math.abs(latitude) <= MOST_NORTH && zoom >= 0 && zoom <= MAX_ZOOM;
    return text !== null && isView ? { longitude, latitude, zoom } : undefined;
}

function sayView({ longitude, latitude, zoom }: View): string {
    const around = (((longitude + 540) % 360) - 180).toFixed(4);
    return [around, Math.min(MOST_NORTH, Math.max(-MOST_NORTH, latitude)).toFixed(4), zoom.toFixed(2)]
        .map((one) => String(Number(one)))
        .join(',');
}

/** West, south, east, north of the picture. */
function boundsOf(projection: GeoProjection, width: number): [number, number, number, number] {
    const [west, north] = projection.invert?.([0, 0]) ?? [-180, MOST_NORTH];
    const [east, south] = projection.invert?.([width, HEIGHT]) ?? [180, -MOST_NORTH];
    const isWorld = (width * 2 * Math.PI) / projection.scale() / (2 * Math.PI) >= 2 * Math.PI;
    return isWorld ? [-180, south, 180, north] : [west, south, east, north];
}

interface ShownPlace {
    key: string;
    left: number;
    top: number;
    href: string;
    count: number;
    silent: number;
    alerted: number;
    /** The one device; undefined for several. */
    one: { device: string; state: DeviceState } | undefined;
    /** Names of some of them. */
    names: string[];
    coordinates: [number, number];
}

type Found = ReturnType<Index['getClusters']>[number];

interface ShowOptions {
    clusters: Index;
    projection: GeoProjection;
    addressOfView(view: View): string;
    view: View;
}

const NAMES = 3;

function toShown({ properties, geometry }: Found, { clusters, projection, addressOfView, view }: ShowOptions): ShownPlace {
    const [longitude = 0, latitude = 0] = geometry.coordinates;
    const [left, top] = projection([longitude, latitude]) ?? [0, 0];
    const place = {
        left,
        top,
        coordinates: [longitude, latitude] as [number, number],
        silent: properties.silent,
        alerted: properties.alerted,
    };
    if ('cluster' in properties) {
        const id = properties.cluster_id;
        const zoom = Math.min(MAX_ZOOM, Math.max(view.zoom + 1, clusters.getClusterExpansionZoom(id) + 0.01));
        const names = clusters.getLeaves(id, NAMES).map((leaf) => leaf.properties.device);
        return {
            ...place,
            key: `cluster ${id}`,
            href: addressOfView({ longitude, latitude, zoom }),
            count: properties.point_count,
            one: undefined,
            names,
        };
    }
    const { device, site, state } = properties;
    return { ...place, key: `${site}/${device}`, href: deviceAddress({ device, site }), count: 1, one: { device, state }, names: [device] };
}

function sayPlace({ count, silent, alerted, one }: ShownPlace): string {
    const more = [...(silent > 0 && !one ? [`${silent} silent`] : []), ...(alerted > 0 ? [one ? 'in alert' : `${alerted} in alert`] : [])];
    return [one ? `${one.device}, ${one.state}` : `${count} devices`, ...more].join(', ');
}

function Marker({ place }: { place: ShownPlace }) {
    const { left, top, href, count, silent, alerted, one } = place;
    const size = one ? 22 : 30 + 7 * Math.log10(count);
    const share = (silent / count) * 100;
    const label = sayPlace(place);
    return (
        <a
            class={`place ${one ? `state-${one.state}` : 'cluster'} ${alerted > 0 ? 'alerted' : ''}`}
            href={href}
            title={label}
            draggable={false}
            style={{
                ...{ left: `${left}px`, top: `${top}px`, width: `${size}px`, height: `${size}px` },
                ...(!one && { backgroundImage: `conic-gradient(var(--data-2) ${share}%, var(--data-1) 0)` }),
            }}
        >
            <span class="hidden">{label}</span>
            <span aria-hidden="true">{one ? { online: '●', late: '◐', silent: '○', unknown: '?' }[one.state] : sayCount(count)}</span>
        </a>
    );
}

function sayCount(count: number): string {
    return count < 1000 ? String(count) : `${(count / 1000).toFixed(count < 10_000 ? 1 : 0)}k`;
}

function InView({ shown }: { shown: readonly ShownPlace[] }) {
    const rows = shown.toSorted((a, b) => b.alerted - a.alerted || b.silent - a.silent || b.count - a.count || (a.key < b.key ? -1 : 1));
    return (
        <>
            <Table
                caption={`What is in the picture: ${shown.length} ${shown.length === 1 ? 'place' : 'places'}`}
                isCaptionShown
                rows={rows.slice(0, MAX_ROWS)}
                keyOf={({ key }) => key}
                columns={[
                    {
                        name: 'devices',
                        title: 'Devices',
                        cell: ({ one, href, count, names }) =>
                            one ? (
                                <a href={href}>{one.device}</a>
                            ) : (
                                <>
                                    <a href={href}>{count} devices</a>
                                    <div class="small">
                                        {names.join(', ')}
                                        {count > names.length && ' …'}
                                    </div>
                                </>
                            ),
                    },
                    {
                        name: 'state',
                        title: 'State',
                        cell: ({ one, silent }) =>
                            one ? <StateMark state={one.state} /> : silent === 0 ? 'none silent' : <>{silent} silent</>,
                    },
                    { name: 'alerted', title: 'In alert', isNumber: true, cell: ({ alerted }) => alerted },
                    {
                        name: 'where',
                        title: 'Where',
                        cell: ({ coordinates: [longitude, latitude] }) => `${latitude.toFixed(4)}, ${longitude.toFixed(4)}`,
                    },
                ]}
            />
            {rows.length > MAX_ROWS && <p class="small">The first {MAX_ROWS} places: zoom in to see the others.</p>}
        </>
    );
}

/** The view that a key leads to; undefined for other keys. */
function moveBy(key: string, { view, projection, width }: { view: View; projection: GeoProjection; width: number }): View | undefined {
    const zoom = { '+': 1, '=': 1, '-': -1 }[key];
    if (zoom !== undefined) {
        return { ...view, zoom: Math.min(MAX_ZOOM, Math.max(0, view.zoom + zoom)) };
    }
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
    return step && moved(view, projection, [width / 2 + ((step[0] ?? 0) * width) / 4, HEIGHT / 2 + ((step[1] ?? 0) * HEIGHT) / 4]);
}

/** The view with that point of the picture in its middle. */
function moved(view: View, projection: GeoProjection, point: [number, number]): View {
    const [longitude, latitude] = projection.invert?.(point) ?? [view.longitude, view.latitude];
    return { ...view, longitude, latitude };
}

interface DragOptions {
    projection: GeoProjection;
    view: View;
    setDragged(view: View | undefined): void;
    show(view: View): void;
}

/** Moves of fewer pixels are a click. */
const LEAST_DRAG_PX = 4;

/** Moves the map with the pointer; the address has the view once it is let go. */
function useDrag({ projection, view, setDragged, show }: DragOptions) {
    const began = useRef<{ x: number; y: number; view: View; projection: GeoProjection; to: View | undefined } | undefined>(undefined);
    return {
        onPointerDown: (event: PointerEvent) => {
            if (event.button === 0) {
                began.current = { x: event.clientX, y: event.clientY, view, projection, to: undefined };
            }
        },
        onPointerMove: (event: PointerEvent) => {
            const start = began.current;
            if (!start || !(event.currentTarget instanceof HTMLElement)) {
                return;
            }
            const [x, y] = [event.clientX - start.x, event.clientY - start.y];
            if (start.to === undefined && Math.hypot(x, y) < LEAST_DRAG_PX) {
                return;
            }
            event.currentTarget.setPointerCapture(event.pointerId);
            start.to = moved(start.view, start.projection, [event.currentTarget.clientWidth / 2 - x, HEIGHT / 2 - y]);
            setDragged(start.to);
        },
        onPointerUp: () => {
            const to = began.current?.to;
            began.current = undefined;
            if (to) {
                show(to);
                setDragged(undefined);
            }
        },
        onPointerCancel: () => {
            began.current = undefined;
            setDragged(undefined);
        },
    };
}
