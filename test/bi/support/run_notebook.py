"""Runs a notebook in a folder and prints, as JSON, the data frames that it made by their names, and its plots: `run_notebook.py notebook folder`."""

import json
import sys

import nbformat
from nbclient import NotebookClient

# Python writes a double's shortest exact text, and whole numbers as they are.
TELL = """
import json as _json
print(_json.dumps(
    {_name: [{_key: None if pandas.isna(_value) else _value for _key, _value in _row.items()} for _row in _frame.to_dict('records')]
     for _name, _frame in list(globals().items()) if isinstance(_frame, pandas.DataFrame) and not _name.startswith('_')},
    default=str,
))
"""


def main():
    path, folder = sys.argv[1:]
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    notebook.cells.append(nbformat.v4.new_code_cell(TELL))
    NotebookClient(notebook, timeout=600, kernel_name='python3', resources={'metadata': {'path': folder}}).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == 'code' for output in cell.outputs]
    plots = [output.data['image/png'] for output in outputs if 'image/png' in output.get('data', {})]
    frames = json.loads(notebook.cells[-1].outputs[0].text, parse_float=str, parse_int=str)
    print(json.dumps({'frames': frames, 'plots': plots}))


main()
