/** Flows in a form that is not read are named in the first words of the answer, with what makes them readable. */
import { describe, expect, test } from '@jest/globals';
import { readFlows } from '#lake/flows/read-flows';

async function whyNot(text: string): Promise<string> {
    const pieces = async function* () {
        yield Buffer.from(text);
    };
    const result = await readFlows(pieces);
    return result.ok ? 'it is read' : result.error;
}

describe('text with separators', () => {
    test.each([
        [
            'rwcut without times',
            'sIP|dIP|packets|\n192.0.2.10|198.51.100.20|3|\n',
            /^rwcut of SiLK without .*--fields=sIP,dIP,sTime,duration,packets/,
        ],
        [
            'Insights',
            '@timestamp,@message\n2026-01-05 10:00:00.000,2 1 eni-1 192.0.2.10 198.51.100.20 1 2 6 3 180 1767607200 1767607260 ACCEPT OK\n',
            /^an answer of CloudWatch Logs Insights: .*create-export-task/,
        ],
        [
            'Insights, of fields',
            '@timestamp,srcAddr,dstAddr,packets\n2026-01-05 10:00:00.000,192.0.2.10,198.51.100.20,3\n',
            /^an answer of CloudWatch Logs Insights: /,
        ],
        ['Splunk', '"_time","_raw",source\n"2026-01-05","x","y"\n', /^an export of Splunk: .*Raw Events/],
        ['Kibana', '"@timestamp","source.ip","destination.ip"\n', /^flows of Elastic .*: .*--duration-unit ns/],
        [
            'the Logs Explorer of Google Cloud',
            'insertId,jsonPayload.connection.src_ip,timestamp\n',
            /^VPC flow logs of Google Cloud: .*one reporter/,
        ],
        [
            'UGR’16',
            '2016-07-27 13:43:21,0.452,192.0.2.10,198.51.100.20,40001,443,TCP,.AP.SF,0,0,7,910,background\n',
            /^rows of the UGR’16 data set, .*subtract/,
        ],
    ])('%s', async (_, text, why) => {
        const found = await whyNot(text);
        expect(found.replace(/^no usable header: /, '')).toMatch(why);
        expect(found).toMatch(why);
    });

    test('13 cells of another kind are no rows of UGR’16', async () => {
        expect(await whyNot('2016-07-27 13:43:21,0.452,192.0.2.10,host,40001,443,TCP,.AP.SF,0,0,7,910,background\n')).toMatch(
            /^no usable header: looked for/,
        );
    });
});

describe('JSON', () => {
    const tuple = '1767607200,192.0.2.10,198.51.100.20,40001,443,6,O,E,NX,7,910,4,512';
    const azure = (count: number): string =>
        JSON.stringify({
            records: Array.from({ length: count }, () => ({
                time: 't',
                category: 'FlowLogFlowEvent',
                flowRecords: { flows: [{ flowGroups: [{ flowTuples: [tuple] }] }] },
            })),
        });
    test.each([
        ['Azure', azure(2), /^flow logs of Azure .*: each of its tuples/],
        ['Azure, one object of megabytes', azure(20_000), /^flow logs of Azure /],
        [
            'Azure, NSG',
            '{"records":[{"category":"NetworkSecurityGroupFlowEvent","properties":{"Version":2,"flows":[]}}]}',
            /^flow logs of Azure /,
        ],
        [
            'a subscription of CloudWatch',
            '{"messageType":"DATA_MESSAGE","logGroup":"flows","logEvents":[{"id":"1","timestamp":1,"message":"2 1 eni-1"}]}',
            /^records of CloudWatch Logs as a subscription .*logEvents/,
        ],
        [
            'the AWS CLI',
            '{\n    "events": [\n        {\n            "timestamp": 1,\n            "message": "2 1 eni-1",\n            "ingestionTime": 2\n        }\n    ]\n}\n',
            /^events of CloudWatch Logs .*\.events/,
        ],
        ['Insights', '[{"@timestamp":"2026-01-05 10:00:00.000","@message":"2 1 eni-1"}]', /^an answer of CloudWatch Logs Insights: /],
        ['Splunk', '{"preview":false,"offset":0,"result":{"_time":"1","src":"192.0.2.10"}}\n', /^an export of Splunk: /],
        [
            'Google Cloud',
            '{"insertId":"1","jsonPayload":{"connection":{"src_ip":"192.0.2.10","dest_ip":"198.51.100.20"},"packets_sent":"7"}}\n',
            /^VPC flow logs of Google Cloud: /,
        ],
        [
            'packetbeat',
            '{"@timestamp":"2026-01-05T10:00:00.000Z","type":"flow","source":{"ip":"192.0.2.10","packets":7},"destination":{"ip":"198.51.100.20"}}\n',
            /^flows of Elastic /,
        ],
        [
            'filebeat, with names of one piece',
            '{"@timestamp":"2026-01-05T10:00:00.000Z","source.ip":"192.0.2.10","destination.ip":"198.51.100.20"}\n',
            /^flows of Elastic /,
        ],
        [
            'an answer of Elasticsearch',
            '{"took":1,"hits":{"hits":[{"_source":{"source":{"ip":"192.0.2.10"},"destination":{"ip":"198.51.100.20"}}}]}}',
            /^flows of Elastic /,
        ],
        ['something else', '{"source":{"ip":"192.0.2.10"},"to":"198.51.100.20"}\n', /^JSON with the keys "source", "to"/],
    ])('%s', async (_, text, why) => {
        expect(await whyNot(text)).toMatch(why);
    });
});
