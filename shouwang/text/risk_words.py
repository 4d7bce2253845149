"""The small vocabulary that people hide, and how its syllables and characters are written instead: data only.

Written by hand from general knowledge of the language and of common net-speak. Words are there to be recognised; the
list says nothing about how harm is done.
"""

from __future__ import annotations

HIDDEN: dict[str, str] = {
    # wish
    **{"自杀": "zi sha", "想死": "xiang si", "去死": "qu si", "寻死": "xun si", "求死": "qiu si", "死亡": "si wang"},
    **{"死掉": "si diao", "轻生": "qing sheng", "自尽": "zi jin", "自残": "zi can", "自缢": "zi yi", "厌世": "yan shi"},
    **{"解脱": "jie tuo", "了断": "liao duan", "自我了断": "zi wo liao duan", "生不如死": "sheng bu ru si"},
    **{"不想活": "bu xiang huo", "不想活了": "bu xiang huo le", "活不下去": "huo bu xia qu", "活够了": "huo gou le"},
    **{"撑不下去": "cheng bu xia qu", "结束生命": "jie shu sheng ming"},
    **{"离开世界": "li kai shi jie", "离开人世": "li kai ren shi"},
    # pain
    **{
        "活着": "huo zhe",
        "难受": "nan shou",
        "孤独": "gu du",
        "没意义": "mei yi yi",
        "告别": "gao bie",
        "死了": "si le",
    },
    **{"抑郁": "yi yu", "抑郁症": "yi yu zheng", "绝望": "jue wang", "痛苦": "tong ku", "崩溃": "beng kui"},
    # plan
    **{"遗书": "yi shu", "遗言": "yi yan", "遗体": "yi ti", "永别": "yong bie", "葬礼": "zang li", "骨灰": "gu hui"},
    # method
    **{"跳楼": "tiao lou", "割腕": "ge wan", "上吊": "shang diao", "烧炭": "shao tan", "安眠药": "an mian yao"},
    **{"吞药": "tun yao", "农药": "nong yao", "跳河": "tiao he", "跳海": "tiao hai", "跳江": "tiao jiang"},
    **{"跳桥": "tiao qiao", "投河": "tou he", "溺水": "ni shui", "煤气": "mei qi", "刀片": "dao pian"},
    **{"窒息": "zhi xi", "服毒": "fu du", "卧轨": "wo gui", "天台": "tian tai", "吃药": "chi yao"},
}
"""Words that are hidden: read from pinyin, split characters, symbols between, sound-alikes and initials."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


HALF_INITIALS = _words(
    "孤独 自杀 自残 自尽 轻生 死亡 解脱 自我了断 不想活了 活不下去 撑不下去 生不如死 结束生命 离开世界 离开人世 抑郁 抑郁症 绝望 痛苦 崩溃 "
    "遗书 遗言 跳楼 割腕 上吊 烧炭 安眠药"
)
"""The hidden words that can be told with one character written as its initial (x死 is 笑死 too)."""

ORDINARY = _words(
    "紫砂 紫杉 字啥 自惭 自贱 资金 痛哭 同哭 轻声 请生 庆生 轻升 丝网 死网 死角 撕掉 熏死 调和 跳和 条河 挑海 割完 割玩 割晚 隔完 隔晚 上钓 "
    "少谈 意欲 议题 艺术 医术 岩石 演示 绝网 永不 勇别 遗失 遗树 忆书 议书 像死 象死 向死 香死 响死 想撕 想司 想私 去撕 去寺 古都 故都 撕 撕了 肆 鼠 一语 xs yy"
)
"""What sounds like a hidden word, or has its initials, and means something else, however rare it is."""

SPELLED: dict[str, str] = {
    **{"要死": "yao si", "生命": "sheng ming", "离开": "li kai", "结束": "jie shu"},
    **{"消失": "xiao shi", "世界": "shi jie", "人间": "ren jian", "下辈子": "xia bei zi"},
    **{"意义": "yi yi", "没意思": "mei yi si", "再见": "zai jian", "坚持": "jian chi"},
    **{"难过": "nan guo", "害怕": "hai pa", "失眠": "shi mian", "焦虑": "jiao lv"},
    **{"计划": "ji hua", "准备": "zhun bei", "决定": "jue ding", "今晚": "jin wan", "明天": "ming tian"},
    **{"今天": "jin tian", "后天": "hou tian", "晚上": "wan shang", "最后": "zui hou", "时间": "shi jian"},
    **{"生活": "sheng huo", "放弃": "fang qi", "希望": "xi wang", "未来": "wei lai", "人生": "ren sheng"},
    **{"父母": "fu mu", "爸妈": "ba ma", "朋友": "peng you", "家人": "jia ren", "医院": "yi yuan", "医生": "yi sheng"},
    **{"自己": "zi ji", "没有": "mei you", "什么": "shen me", "为什么": "wei shen me", "真的": "zhen de"},
    **{"不想": "bu xiang", "不要": "bu yao", "不会": "bu hui", "不能": "bu neng", "已经": "yi jing", "可以": "ke yi"},
    **{"知道": "zhi dao", "感觉": "gan jue", "觉得": "jue de", "永远": "yong yuan", "睡觉": "shui jiao"},
    **{"好累": "hao lei", "太累": "tai lei", "好想": "hao xiang", "我想": "wo xiang", "我要": "wo yao"},
}
"""Words around them that are read in pinyin only."""

SYLLABLES: dict[str, str] = {
    **{"wo": "我", "ni": "你", "ta": "他", "bu": "不", "le": "了", "de": "的", "xiang": "想", "yao": "要", "hao": "好"},
    **{"zhen": "真", "jiu": "就", "hui": "会", "mei": "没", "you": "有", "qu": "去", "zai": "在", "dou": "都"},
    **{
        "ren": "人",
        "tai": "太",
        "lei": "累",
        "hen": "很",
        "ba": "吧",
        "ye": "也",
        "huo": "活",
        "si": "死",
        "shi": "是",
    },
    **{"zhe": "着", "yi": "一", "ge": "个", "men": "们", "neng": "能", "ma": "吗", "na": "那", "suan": "算"},
}
"""How a syllable is read beside a word that was found."""

SOUNDS: dict[str, str] = {"si": "鼠厮亖", "zi": "籽梓渍姊滓", "yu": "榆愉"}
"""Further characters for a syllable, beside the common ones that have it (`shouwang.text.pairs`)."""

LOOKS: dict[str, str] = {
    **{
        "自": "白囱",
        "杀": "朵",
        "死": "夗歼歺",
        "跳": "挑桃眺逃姚",
        "楼": "搂缕镂屡数",
        "割": "豁",
        "腕": "碗豌婉惋蜿",
    },
    **{"药": "葯约", "眠": "泯抿", "残": "浅践贱栈", "遗": "遣匮", "抑": "仰柳昂", "郁": "都部", "烧": "浇绕晓挠饶"},
    **{"炭": "碳灰岩", "轻": "经径氢茎", "脱": "悦蜕锐阅", "绝": "艳", "溃": "馈债愦匮", "痛": "疼桶捅蛹踊诵"},
    **{"苦": "若古", "活": "话括", "吊": "币帛", "河": "何柯苛", "海": "悔侮梅", "江": "扛缸杠肛", "症": "证怔"},
    **{"崩": "蹦绷", "孤": "狐弧", "独": "烛蚀浊", "结": "洁拮桔", "桥": "侨骄娇轿", "农": "浓侬脓", "想": "箱厢"},
}
"""What a character is mistaken for at a glance; read only inside a word whose other characters are right."""

PARTS: dict[str, str] = {
    "氵": "可河每海工江舌活肖消贵溃弱溺曷渴戾泪林淋由油去法主注青清包泡皮波先洗相湘殳没羊洋冗沉",
    "扌": "殳投卬抑卓掉包抱丁打戈找斤折比批支技立拉圭挂兆挑召招甫捕空控罙探是提爪抓",
    "亻": "本体尔你也他门们故做十什白伯主住立位可何寺侍更便专传壬任介价",
    "讠": "十计寸讨兑说舌话人认只识吾语青请周调平评正证仑论若诺方访射谢",
    "纟": "色绝吉结黾绳益缢工红冬终合给己纪且组泉线会绘及级",
    "忄": "白怕艮恨亡忙生性夬快青情每悔曼慢兑悦京惊",
    "疒": "甬痛冬疼正症丙病皮疲风疯了疗寺痔",
    "歹": "匕死戋残",
    "辶": "贵遗寸过元远斤近云运力边首道文这万迈秋逑艮退关送束速米迷",
    "彳": "艮很主往走徒寺待",
    "艹": "约药古苦早草化花平苹采菜",
    "钅": "戋钱屯钝及钑艮银",
    "饣": "反饭包饱我饿官馆",
    "⻊": "兆跳各路包跑失跌",
    "犭": "虫独苗猫句狗者猪瓜狐蜀独",
}
"""Radical → pairs of the rest and the whole. The radical forms stand alone in no ordinary text."""

PARTS_AFTER: dict[str, str] = {
    "刂": "害割另别戈划岁刿至到亥刻禾利半判居剧",
    "阝": "有郁者都君郡交郊",
    "攵": "古故孝教求救",
}
"""The same where the radical comes last."""

LOOSE_PARTS: dict[str, str] = {
    **{"死": "歹匕", "杀": "乂木 メ木 ×木 X木", "跳": "足兆", "楼": "木娄", "割": "害刂 害刀 害リ 宝刂"},
    **{"腕": "月宛", "吊": "口巾", "烧": "火尧", "炭": "山灰", "残": "歹戋", "活": "水舌 シ舌"},
    **{"想": "相心", "抑": "手卬 才卬", "郁": "有阝 有卩 有耳", "轻": "车圣", "解": "角刀牛", "脱": "月兑"},
    **{"绝": "丝色", "望": "亡月王", "苦": "草古", "崩": "山朋", "溃": "水贵", "河": "水可", "海": "水每"},
    **{"江": "水工", "投": "手殳 才殳", "吞": "天口", "吃": "口乞", "药": "草约", "遗": "贵之 之贵", "体": "人本 イ本"},
    **{"息": "自心", "煤": "火某", "台": "厶口", "桥": "木乔", "去": "土厶", "别": "另刀 另リ", "灰": "ナ火"},
    **{"难": "又隹", "孤": "子瓜 孑瓜", "独": "犭虫", "眠": "目民", "受": "爫冖又", "症": "疒正"},
    **{"自": "丿目", "尽": "尺冫", "断": "米斤", "骨": "冎月", "厌": "厂犬", "言": "亠口"},
}
"""Whole characters that stand for the parts of another; read only where they complete a hidden word."""
