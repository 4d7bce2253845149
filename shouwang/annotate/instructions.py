"""Words in a post that speak to whoever rates it: found by rules, and left out of what a language model is shown.

The rules are a net, not a wall: wording that nobody has thought of passes. Hence no label stands without people.
"""

from __future__ import annotations

import re

from shouwang.text import Aligned, canonical

_LEVEL = (  # what a level is called when somebody asks for one
    r"(?:[0-9零〇一二三四五六七八九十]{1,2}\s*[分级档]|满分|零分|最[低高](?:的?一?[档级类]|分|级)?|无风险|没有?风险|没事)"
)
_GIVE = r"(?:评|打|判|标|选|算|定|给|按|列|处理|当[成作])"
_RATER = (
    r"(?:AI|GPT|大模型|语言模型|机器人|程序|管理员|审核员?|标注[者员]|评分[者员]|评委|model|assistant|annotator|rater)"
)
_RULES = (
    # what was said before does not hold
    r"忽略.{0,12}(?:以上|上面|上述|前述|之前|前面|所有|系统|指令|要求|规则|规定|提示|说明)",
    r"无视.{0,12}(?:指令|要求|规则|规定|提示|说明|以上|上面)",
    r"(?:指令|要求|规则|提示|规定).{0,6}作废|优先级.{0,4}高于.{0,12}(?:说明|指令|要求|规则|提示)",
    r"(?:ignore|disregard|forget).{0,30}(?:above|previous|prior|instruction|rule)",
    # a level is asked for
    r"(?:评|打|写|改)[为成到](?:十|零|[0-9]{1,2})[级分]",
    r"(?:评分|等级|风险|level|输出|回答|打分).{0,8}(?:应|请|必须|只|改|设|就)?.{0,4}(?:为|是|成|给|写|:|=)?\s*[0-9零〇]\s*"
    r"(?:分|级|$|[。,.!\"'})])",
    rf"[这此本该](?:一?[条帖贴篇]|个[帖贴]子?).{{0,12}}{_GIVE}.{{0,6}}{_LEVEL}|给(?:这|此|本)[条帖贴篇].{{0,4}}{_LEVEL}",
    rf"(?:一律|必须|务必|直接).{{0,4}}{_GIVE}.{{0,4}}{_LEVEL}|请按(?:最[高低]|无风险)|风险为(?:零|0)",
    r"(?:rate|score|label|grade|classify|output|answer|return|reply).{0,40}(?:\bzero\b|\b(?:0|10)\b|lowest|highest|maximum level)",
    # whoever rates is spoken to
    r"(?:你是|你现在是|扮演).{0,10}(?:助手|模型|AI|机器|系统|评分)|you are (?:now )?an?\b",
    rf"{_RATER}.{{0,6}}(?:请|注意|看到|看过来|麻烦).{{0,20}}(?:{_GIVE}|{_LEVEL}|输出|rate|level)",
    r"(?:管理员|系统|审核|官方).{0,3}(?:备注|消息|讯息|提示|通知).{0,30}(?:风险|等级|评级|评分)",
    # marks of a conversation with a model; what follows them is not the post's own voice
    r"系统提示|开发者模式|system\s*prompt|new (?:task|instructions?)\s*:|新的?(?:指令|任务|规则)\s*:",
    r"(?:<\|?(?:im_start|system|assistant)|\[/?INST\]|#{2,}\s*(?:system|assistant|instruction|user)\b|\"(?:level|high|role|instructs)\"\s*:).*",
)
_INSTRUCTS = re.compile("|".join(_RULES), re.IGNORECASE | re.DOTALL)
_BETWEEN = re.compile("(?<=[\u4e00-\u9fff])\\s+(?=[\u4e00-\u9fff])")
_CLAUSE, _SENTENCE = re.compile("[，,、：:。．！？!?；;\n]"), re.compile("[。．！？!?；;\n]")
NOTHING = "……"


def instructs(text: str) -> bool:
    """Whether a post seems to speak to whoever rates it; such a post needs a person whatever a model says."""
    return _INSTRUCTS.search(_plain(text).text) is not None


def without_instructions(text: str) -> str:
    """The post without what speaks to the rater, from the clause in which that begins to its sentence's end.

    "……" where nothing else stands in it; a post without such words is returned as it is.
    """
    plain = _plain(text)
    spans = [plain.original(*found.span()) for found in _INSTRUCTS.finditer(plain.text)]
    pieces, done = [], 0
    for start, end in spans:
        if end <= done:
            continue
        clauses = [edge.end() for edge in _CLAUSE.finditer(text, done, start)]
        closes = _SENTENCE.search(text, end)
        pieces.append(text[done : clauses[-1] if clauses else done])
        done = closes.end() if closes else len(text)
    rest = "".join(pieces) + text[done:]
    return without_instructions(rest if rest.strip() else NOTHING) if spans else text


def _plain(text: str) -> Aligned:
    return canonical(text, variants=False).replaced(_BETWEEN, "")
