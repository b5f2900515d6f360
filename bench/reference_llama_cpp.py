#!/usr/bin/env python3
"""Tokens a second of llama.cpp (PyPI llama-cpp-python) on the GGUF that the small pool was exported from, beside `polar bench generate`.

For what it tells: the file's weights have about 4 bits, which llama.cpp multiplies as they are, while the pool holds them in bfloat16; and only
the model itself is run, since llama.cpp knows no programs.
"""
import argparse
import json
import statistics
import time

VERSION = "0.3.36"
PROMPT = "Once upon a time, in a small village by the sea, there lived an old man who"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a GGUF file")
    parser.add_argument("--prompt", default=PROMPT)
    parser.add_argument("--max-new-tokens", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5, help="least seconds of a round")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    import llama_cpp

    model = llama_cpp.Llama(options.model, n_ctx=512, n_threads=options.threads, n_threads_batch=options.threads, verbose=False)
    prompt = model.tokenize(options.prompt.encode(), add_bos=False)

    def answer():
        model.reset()
        tokens = []
        for token in model.generate(prompt, top_k=1, temp=0.0, repeat_penalty=1.0):
            tokens.append(token)
            if len(tokens) == options.max_new_tokens:
                return tokens

    text = model.detokenize(answer()).decode(errors="replace")  # and a warm-up
    rates = []
    for _ in range(options.rounds):
        count, start = 0, time.perf_counter()
        while time.perf_counter() - start < options.seconds:
            count += len(answer())
        rates.append(count / (time.perf_counter() - start))
    print(json.dumps({"mode": "llama.cpp", "version": llama_cpp.__version__, "tokens_per_s": statistics.median(rates), "rates": rates, "text": text}))


if __name__ == "__main__":
    main()
