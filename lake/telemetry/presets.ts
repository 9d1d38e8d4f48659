/** The profiles that come with flowlake: of makers, of plain JSON and of GPS trackers. */
import assetStream from './presets/asset-stream.json' with { type: 'json' };
import assetTracker from './presets/asset-tracker.json' with { type: 'json' };
import chirpstackV4 from './presets/chirpstack-v4.json' with { type: 'json' };
import cloudevents from './presets/cloudevents.json' with { type: 'json' };
import flespi from './presets/flespi.json' with { type: 'json' };
import gpsTracker from './presets/gps-tracker.json' with { type: 'json' };
import owntracks from './presets/owntracks.json' with { type: 'json' };
import plainJson from './presets/plain-json.json' with { type: 'json' };
import senml from './presets/senml.json' with { type: 'json' };
import senmlCbor from './presets/senml-cbor.json' with { type: 'json' };
import sensorTelemetry from './presets/sensor-telemetry.json' with { type: 'json' };
import shellyGen2 from './presets/shelly-gen2.json' with { type: 'json' };
import sparkplugB from './presets/sparkplug-b.json' with { type: 'json' };
import tasmota from './presets/tasmota.json' with { type: 'json' };
import thethingsstackV3 from './presets/thethingsstack-v3.json' with { type: 'json' };
import victron from './presets/victron.json' with { type: 'json' };
import zigbee2mqtt from './presets/zigbee2mqtt.json' with { type: 'json' };

/** A preset's document, as `parseProfile` takes it. */
export interface Preset {
    name: string;
    description: string;
}

/** All presets by their names. A preset is a document to begin with: a lake has its own profiles. */
export const PRESETS: ReadonlyMap<string, Preset> = new Map(
    [
        assetStream,
        assetTracker,
        chirpstackV4,
        cloudevents,
        flespi,
        gpsTracker,
        owntracks,
        plainJson,
        senml,
        senmlCbor,
        sensorTelemetry,
        shellyGen2,
        sparkplugB,
        tasmota,
        thethingsstackV3,
        victron,
        zigbee2mqtt,
    ].map((preset: Preset) => [preset.name, preset]),
);
