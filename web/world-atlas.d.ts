/** Outlines of countries as a topology: https://github.com/topojson/world-atlas */
declare module 'world-atlas/countries-110m.json' {
    import type { mesh } from 'topojson-client';

    type Topology = NonNullable<Parameters<typeof mesh>[0]>;
    type Shapes = Extract<NonNullable<Parameters<typeof mesh>[1]>, { type: 'GeometryCollection' }>;
    const topology: Topology & { objects: { countries: Shapes; land: Shapes } };
    export default topology;
}
