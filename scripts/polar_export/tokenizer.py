"""tokenizer.json of a GGUF file, and the chat turn of a model's template."""

import json

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from . import ExportError

# Token types of GGUF (tokenizer.ggml.token_type).
NORMAL, CONTROL, USER_DEFINED, UNUSED = 1, 3, 4, 5

LLAMA3_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2_WORDS = LLAMA3_WORDS.replace(r"\p{N}{1,3}", r"\p{N}")


def begun_as(text, settings, where):
    """tokenizer.json text whose post-processor begins texts as tokenizer_config.json (settings) says, where it says so: transformers
    lets add_bos_token decide over the file."""
    if settings.get("add_eos_token"):
        raise ExportError(f"{where}: add_eos_token: expected false, found true: prompts are continued, never ended")
    begins = settings.get("add_bos_token")
    tokenizer = Tokenizer.from_str(text)
    if begins is None or bool(tokenizer.encode("").ids) == begins:
        return text
    document = json.loads(text)
    document["post_processor"] = None
    if begins:
        start = settings.get("bos_token")
        start = start["content"] if isinstance(start, dict) else start
        index = tokenizer.token_to_id(start) if start else None
        if index is None:
            raise ExportError(f"{where}: bos_token: expected a token of tokenizer.json, since add_bos_token is true, found {start}")
        tokenizer.post_processor = processors.TemplateProcessing(single=[start, "$A"], special_tokens=[(start, index)])
        document["post_processor"] = json.loads(tokenizer.to_str())["post_processor"]
    return json.dumps(document, ensure_ascii=False)


def split_by(words):
    return pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(words), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )


# tokenizer.ggml.pre -> pre-tokenizer of that model family.
PRE_TOKENIZERS = {
    "gpt-2": lambda: pre_tokenizers.ByteLevel(add_prefix_space=False),
    "smollm": lambda: pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    ),
    "llama-bpe": lambda: split_by(LLAMA3_WORDS),
    "qwen2": lambda: split_by(QWEN2_WORDS),
}


def from_gguf(path, fields):
    """tokenizer.json text from the fields of a GGUF: its tokens and merges, with the pre-tokenizer the model really uses."""
    kind, family = fields.get("tokenizer.ggml.model"), fields.get("tokenizer.ggml.pre")
    if kind != "gpt2":
        raise ExportError(f"{path}: tokenizer.ggml.model: expected gpt2 (byte-level BPE), found {kind}")
    if family not in PRE_TOKENIZERS:
        raise ExportError(f"{path}: tokenizer.ggml.pre: expected one of {', '.join(PRE_TOKENIZERS)}, found {family}")
    tokens = fields["tokenizer.ggml.tokens"]
    types = fields["tokenizer.ggml.token_type"]
    unknown = set(types) - {NORMAL, CONTROL, USER_DEFINED, UNUSED}
    if unknown:
        raise ExportError(f"{path}: tokenizer.ggml.token_type: expected 1, 3, 4 or 5, found {sorted(unknown)}")
    merges = [tuple(pair.split(" ")) for pair in fields["tokenizer.ggml.merges"]]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, ignore_merges=family == "llama-bpe"))
    if family == "qwen2":
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = PRE_TOKENIZERS[family]()
    tokenizer.decoder = decoders.ByteLevel()
    special = [token for token, type_ in zip(tokens, types) if type_ == CONTROL]
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in special])
    added = [token for token, type_ in zip(tokens, types) if type_ == USER_DEFINED]
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token in added])
    if fields.get("tokenizer.ggml.add_eos_token", False):
        raise ExportError(f"{path}: tokenizer.ggml.add_eos_token: expected false, found true: prompts are continued, never ended")
    if fields.get("tokenizer.ggml.add_bos_token", family == "llama-bpe"):  # as llama.cpp takes it where the file is silent
        start_with(tokenizer, tokens, fields.get("tokenizer.ggml.bos_token_id"), path)
    return tokenizer.to_str(pretty=True)


def start_with(tokenizer, tokens, start, path):
    """Every text shall begin with the token of id `start`."""
    if start is None or not 0 <= start < len(tokens):
        raise ExportError(f"{path}: tokenizer.ggml.bos_token_id: expected the id of the token that texts begin with, found {start}")
    tokenizer.post_processor = processors.TemplateProcessing(single=[tokens[start], "$A"], special_tokens=[(tokens[start], start)])


def check(where, text, vocabulary):
    """Refuses what the C++ tokenizer could never read, so that nobody learns it after a long export."""
    document = json.loads(text)
    kind = document["model"]["type"]
    if kind != "BPE":
        raise ExportError(f"{where}: model.type: expected BPE, found {kind}: only byte-level BPE is supported")
    if '"ByteLevel"' not in json.dumps(document.get("pre_tokenizer")):
        raise ExportError(f"{where}: pre_tokenizer: expected one with ByteLevel, found {json.dumps(document.get('pre_tokenizer'))[:80]}")
    check_post_processor(where, document.get("post_processor"))
    ids = list(document["model"]["vocab"].values()) + [token["id"] for token in document["added_tokens"]]
    if max(ids) >= vocabulary:
        raise ExportError(f"{where}: expected ids below the model's vocabulary of {vocabulary}, found {max(ids)}")


def check_post_processor(where, processor):
    """Special tokens may stand before a text only."""
    kind = processor["type"] if processor else "ByteLevel"
    if kind == "Sequence":
        for step in processor["processors"]:
            check_post_processor(where, step)
    elif kind == "TemplateProcessing":
        if not processor["single"] or [list(piece) for piece in processor["single"]] != [["SpecialToken"]] * (len(processor["single"]) - 1) + [["Sequence"]]:
            raise ExportError(f"{where}: post_processor.single: expected special tokens, then the text, found {json.dumps(processor['single'])[:120]}")
    elif kind != "ByteLevel":
        raise ExportError(f"{where}: post_processor.type: expected ByteLevel, TemplateProcessing or Sequence, found {kind}")


def canonical(text):
    """Bytes that stay the same when tokenizer.json is formatted differently or written by another version of tokenizers."""
    document = json.loads(text)
    for setting in ("version", "truncation", "padding"):  # never used: prompts are neither cut nor padded
        document.pop(setting, None)
    document["model"]["merges"] = [pair if isinstance(pair, str) else " ".join(pair) for pair in document["model"]["merges"]]
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def chat_turn(template, tokenizer_json, special):
    """What surrounds one user turn, generation prompt included (src/text/prompt.h, ChatTurn), or None without a template.

    special: token names such as bos_token -> content, which templates may use.
    """
    if not template:
        return None
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(tokenizer_json), **special)
    user, system = "\x02user words\x03", "\x02system words\x03"

    def render(*messages):
        # date_string: templates that print today's date would make every export different.
        return tokenizer.apply_chat_template(
            [{"role": role, "content": text} for role, text in messages],
            chat_template=template, tokenize=False, add_generation_prompt=True, date_string="26 Jul 2024",
        )

    alone = render(("user", user))
    if alone.count(user) != 1:
        raise ExportError(f"chat template: expected the user's words exactly once, found them {alone.count(user)} times")
    before_user, after_user = alone.split(user)
    turn = {"template": template, "before_user": before_user, "after_user": after_user,
            "before_system": "", "between": "", "takes_system": False}
    try:
        both = render(("system", system), ("user", user))
    except Exception:  # a template refuses the system role with whatever its author raises
        return turn
    if both.count(system) == 1 and both.endswith(user + after_user) and both.index(system) < both.index(user):
        before_system, rest = both.split(system)
        turn |= {"before_system": before_system, "between": rest[: -len(user + after_user)], "takes_system": True}
    return turn
