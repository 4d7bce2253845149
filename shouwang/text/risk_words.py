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
"""Words that are hidden: read from pinyin, split characters, symbols between, and some of them (`BY_SOUND`) by ear."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


BY_SOUND = _words(
    "想死 去死 孤独 自杀 自残 自尽 轻生 死亡 死掉 解脱 自我了断 不想活 不想活了 活不下去 撑不下去 活够了 生不如死 结束生命 离开世界 "
    "离开人世 抑郁 抑郁症 绝望 痛苦 崩溃 遗书 遗言 永别 跳楼 割腕 上吊 烧炭 安眠药 吞药 农药 跳河 跳海 跳江 跳桥"
)
"""The hidden words that are also read from sound-alikes and look-alikes; those of the others are too ordinary."""

INITIAL_ELSEWHERE = _words("想死 去死 死掉 永别 跳河 跳海 跳江 跳桥 农药 吞药 不想活 活够了")
"""Words of `BY_SOUND` that one initial does not tell from others (x死 is 笑死 too)."""

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

SOUNDS: dict[str, str] = {
    "an": "安按案暗岸俺鞍氨庵",
    "beng": "崩蹦绷迸泵甭",
    "bie": "别憋瘪鳖",
    "bu": "不布步部补捕卜怖埠",
    "can": "残惨餐蚕参惭灿璨掺",
    "cheng": "撑成城程称承乘诚呈橙惩逞",
    "chi": "吃持迟池尺齿赤翅斥耻痴匙驰",
    "dao": "刀到道倒导岛盗稻捣叨",
    "diao": "掉吊钓雕调刁叼貂凋碉",
    "du": "毒读独度都渡赌堵肚杜督睹妒渎",
    "duan": "断段短端锻缎",
    "fu": "服父付福夫富副府负复腹符扶浮伏辅附",
    "ge": "割个各歌哥格隔革葛阁鸽搁戈胳嗝疙",
    "gou": "够狗购构沟勾钩苟",
    "gu": "骨古股谷鼓故顾固估姑孤菇沽辜雇",
    "gui": "轨贵鬼归柜桂规龟跪硅",
    "hai": "海害还孩亥骇嗨咳",
    "he": "河和喝合何盒贺核荷禾赫呵褐鹤",
    "hui": "灰会回汇挥辉惠慧毁悔绘徽恢",
    "huo": "活火货或获伙祸惑霍豁",
    "jiang": "江将讲奖降酱姜疆浆匠僵",
    "jie": "解结界街接节姐借介届杰洁戒截揭阶皆捷劫",
    "jin": "尽进近劲紧金今津禁斤仅锦筋晋浸巾谨烬",
    "jue": "绝决觉掘爵诀嚼倔厥抉撅",
    "kai": "开凯慨楷揩铠",
    "ku": "苦哭酷库裤枯窟",
    "kui": "溃愧亏葵魁馈匮奎窥盔",
    "le": "了乐勒",
    "li": "离里力利立理李例礼丽历粒梨厘励犁",
    "liao": "了料聊疗辽廖僚撩瞭嘹",
    "lou": "楼漏露搂娄陋篓喽",
    "mei": "煤没美每妹梅媒枚眉霉",
    "mian": "眠面免棉绵勉缅冕",
    "ming": "命明名鸣铭冥茗",
    "ni": "溺你泥逆拟腻尼妮匿",
    "nong": "农浓弄脓侬",
    "pian": "片骗篇偏便翩",
    "qi": "气起期七其器奇企汽齐妻旗启弃",
    "qiao": "桥巧敲瞧乔悄翘侨俏",
    "qing": "轻青清请情晴氢倾庆顷卿",
    "qiu": "求球秋丘囚邱酋",
    "qu": "去趣取区曲屈驱娶渠躯趋蛆",
    "ren": "人任认忍仁刃韧",
    "ru": "如入儒乳辱茹汝",
    "sha": "杀沙砂啥傻纱鲨刹煞莎厦杉霎铩",
    "shang": "上尚伤商赏裳晌",
    "shao": "烧少稍勺绍哨邵捎梢",
    "sheng": "生声升胜省圣绳牲盛剩笙甥",
    "shi": "世是事时市式视室试诗十石师失史实使始士示食逝释适",
    "shu": "书树输属叔舒数术束熟鼠薯述竖蔬梳疏淑署暑曙墅恕",
    "shui": "水睡税谁",
    "si": "死四丝思斯司私似撕寺肆厮嘶巳饲亖鼠",
    "tai": "台太态抬泰胎苔",
    "tan": "炭碳谈探叹弹坛摊贪坦毯滩潭痰瘫昙檀",
    "ti": "体题提替踢梯剃啼蹄",
    "tian": "天添田甜填舔",
    "tiao": "跳条挑调眺迢",
    "tong": "痛同通童桶统铜筒桐瞳彤",
    "tou": "投头偷透",
    "tun": "吞屯囤臀豚",
    "tuo": "脱拖托妥驼陀拓驮唾",
    "wan": "腕玩晚完碗万弯湾丸婉挽顽宛皖蔓",
    "wang": "亡王往网忘旺望汪枉妄",
    "wei": "未为位喂味围维伟尾微危卫魏谓",
    "wo": "卧我握窝沃涡蜗",
    "xi": "息西系喜细希洗习吸惜席溪析锡",
    "xia": "下吓夏虾瞎侠峡霞",
    "xiang": "想像向象项相香响享乡箱详祥翔湘橡厢镶巷",
    "xun": "寻训讯迅勋询循巡熏",
    "yan": "言厌眼烟严盐研颜演燕岩沿掩艳宴验焰",
    "yao": "药要腰摇咬遥姚妖谣邀耀窑",
    "yi": "抑一以意已易医衣遗疑宜移亿艺议异益译义忆役亦翼椅缢仪依姨裔毅溢逸",
    "yong": "永用勇拥涌泳咏庸",
    "yu": "郁雨鱼语于与玉育遇预欲域余羽愈狱誉浴宇愚裕豫喻寓御芋娱渔隅逾榆愉",
    "zang": "葬脏藏赃臧",
    "zheng": "症正整证政争挣睁征蒸怔郑狰",
    "zhi": "窒只之知指值直纸制质志至致织支智止职",
    "zi": "自字子紫姿兹滋资仔籽梓咨渍姊滓",
}
"""A syllable's common characters, the words' own among them."""

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

COMMON = frozenset(
    "一以已意易医艺义于与语遇预育个各子字资是时事市只直我你没到道要会还和或里理了得都天太去想像象向相似思四头其起提用情请清"
    "经生声成程进今近金觉往忘网业条调掉接界谈书树数术束输言眼严演研验完玩晚万能不下如同通哥有又自上"
)
"""Characters so common that in a word of two they are taken for themselves."""

ANCHORS = frozenset("腕割吊炭烧郁抑溃崩脱绝")
"""Characters so rare outside their word that even a common character beside them is a disguise."""

ORDINARY = _words(
    "紫砂 紫杉 字啥 自禁 自惭 自参 自锦 痛哭 疼苦 桶哭 轻声 请生 庆生 青生 轻升 丝网 司网 撕掉 丝掉 死钓 死网 死角 界脱 接脱 "
    "结拖 解拖 姐拖 界妥 节拖 结脱 调和 调合 跳和 条和 条河 跳还 跳合 挑海 割完 隔完 割玩 隔晚 上钓 上雕 尚掉 少谈 烧弹 少弹 "
    "抑与 意欲 异欲 医誉 疑狱 仪狱 决网 绝网 觉网 掘网 诀望 永不 用别 勇别 遗数 遗束 遗树 遗术 遗失 逸舒 宜疏 取私 自贱 吞要 农要 浓药 不想或 "
    "不像活 不向活 不享活 挑桥 跳敲 跳将 跳降 挑将 同苦 通苦 同哭 里开始解 离开是解 忆书 议书 白尽 割晚 割弯 像死 象死 向死 相死 "
    "香死 响死 享死 想撕 想私 想司 想饲 想寺 想肆 想丝 想斯 去私 去撕 去寺 去司 去斯 去丝 去饲 古都 故都 姑读"
)
"""What sounds like a hidden word and means something else."""

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
