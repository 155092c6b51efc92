"""What stands around the concepts in planted text: function words, topic words, international words, junk."""

# The most frequent function words of each language, most frequent first: rank gives the Zipf weight. None lies inside
# a concept word, and no joint of a function word and a concept word spells another concept word.
# fmt: off
FUNCTION_WORDS: dict[str, tuple[str, ...]] = {
    "en": (
        "the", "of", "and", "to", "in", "a", "is", "that", "it", "for", "was", "on", "with", "as",
        "by", "at", "from", "this", "are", "an", "be", "which", "not", "its", "has",
    ),
    "fr": (
        "de", "la", "le", "et", "les", "des", "en", "un", "du", "une", "que", "est", "qui", "dans",
        "par", "plus", "au", "sur", "ne", "ce", "pas", "se", "avec", "il", "sont",
    ),
    "zh": (
        "的", "了", "在", "是", "就", "却", "而", "及", "与", "着", "或", "这", "那", "被", "从", "我们", "他们",
        "因为", "那么", "但是", "如果", "可以", "没有", "一个", "还有",
    ),
    "ja": (
        "の", "に", "は", "を", "が", "で", "と", "も", "へ", "から", "まで", "など", "こと", "ある", "いる", "する",
        "した", "この", "その", "ため", "よう", "これ", "それ", "という", "では",
    ),
}
# fmt: on

# Words that say what a document is about and nothing more. They belong to one language.
TOPIC_WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "nature": {
        "en": ("wild", "earth", "weather", "slope", "breeze"),
        "fr": ("sauvage", "terre", "météo", "pente", "brise"),
        "zh": ("野外", "天气", "泥土", "景色", "微风"),
        "ja": ("自然", "天候", "地面", "眺め", "空気"),
    },
    "animals": {
        "en": ("tail", "wing", "herd", "prey", "claw"),
        "fr": ("queue", "aile", "troupeau", "proie", "griffe"),
        "zh": ("尾巴", "翅膀", "兽群", "猎物", "爪子"),
        "ja": ("尻尾", "翼", "群れ", "獲物", "牙"),
    },
    "food": {
        "en": ("taste", "recipe", "bowl", "dinner", "oven"),
        "fr": ("goût", "recette", "bol", "dîner", "four"),
        "zh": ("味道", "菜谱", "晚餐", "烤炉", "饭碗"),
        "ja": ("味わい", "レシピ", "夕食", "料理", "食卓"),
    },
    "home": {
        "en": ("room", "corner", "fabric", "handle", "cozy"),
        "fr": ("chambre", "coin", "tissu", "poignée", "foyer"),
        "zh": ("房间", "角落", "布料", "把手", "温馨"),
        "ja": ("部屋", "片隅", "布地", "取っ手", "暮らし"),
    },
    "people": {
        "en": ("health", "body", "cure", "family", "age"),
        "fr": ("santé", "corps", "soin", "famille", "âge"),
        "zh": ("健康", "身体", "治疗", "亲人", "年龄"),
        "ja": ("体調", "治療", "家族", "年齢", "成長"),
    },
    "city": {
        "en": ("travel", "trip", "crowd", "arrival", "route"),
        "fr": ("trajet", "foule", "arrivée", "départ", "quartier"),
        "zh": ("出发", "人群", "到达", "路线", "城区"),
        "ja": ("旅先", "移動", "到着", "混雑", "路線"),
    },
    "learning": {
        "en": ("read", "learn", "page", "lecture", "class"),
        "fr": ("lire", "apprendre", "chapitre", "cours", "classe"),
        "zh": ("阅读", "学习", "页码", "章节", "讲座"),
        "ja": ("読者", "学習", "講義", "勉強", "章立て"),
    },
    "work": {
        "en": ("business", "deal", "profit", "budget", "staff"),
        "fr": ("affaire", "gain", "dépense", "personnel", "emploi"),
        "zh": ("生意", "利润", "预算", "员工", "开支"),
        "ja": ("商売", "利益", "予算", "社員", "仕事"),
    },
    "technology": {
        "en": ("system", "device", "data", "signal", "code"),
        "fr": ("système", "appareil", "donnée", "réglage", "essai"),
        "zh": ("系统", "设备", "数据", "信号", "程序"),
        "ja": ("装置", "設備", "データ", "通信", "記録"),
    },
    "arts": {
        "en": ("stage", "audience", "rhythm", "style", "prize"),
        "fr": ("scène", "public", "rythme", "équilibre", "spectacle"),
        "zh": ("舞台", "观众", "节奏", "风格", "比赛"),
        "ja": ("演技", "観客", "リズム", "作風", "試合"),
    },
}

# Words of a topic that are written alike in every language. They look like pivots and link no concept to its
# translation more than to any other concept of the topic; only the harder settings use them.
INTERNATIONAL_WORDS: dict[str, tuple[str, ...]] = {
    "nature": ("eco", "bio", "geo"),
    "animals": ("zoo", "fauna", "vet"),
    "food": ("menu", "gourmet", "vegan"),
    "home": ("design", "decor", "loft"),
    "people": ("stress", "yoga", "fitness"),
    "city": ("metro", "transit", "hub"),
    "learning": ("campus", "forum", "blog"),
    "work": ("marketing", "startup", "logo"),
    "technology": ("online", "digital", "app"),
    "arts": ("festival", "show", "pop"),
}

PUNCTUATION: dict[str, tuple[str, str]] = {"en": (",", "."), "fr": (",", "."), "zh": ("，", "。"), "ja": ("、", "。")}

# What crawls are full of. A junk document repeats one of these.
JUNK: tuple[str, ...] = ("= ", "| ", "<br> ", "http://www. ", "0 ", "lorem ipsum ", "* * ", "404 ")
