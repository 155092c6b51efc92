"""The words of the planted world: 212 concepts in four languages with two pivot words each.

One line is one concept: English, French, Chinese, Japanese word, then two pivot words. A pivot word is a name or an
international term that stands in text of any language and belongs to this concept alone. The lists are facts, written
for this project, and chosen so that a match of a word in text is never ambiguous:

* all words of a language differ, and no word of one language is a word of another ('water' is the one exception: 水
  in Chinese and Japanese);
* no Chinese or Japanese word lies inside another one, since such words match as substrings.
"""

from dataclasses import dataclass

LANGUAGES: tuple[str, ...] = ("en", "fr", "zh", "ja")
LANGUAGE_NAMES: dict[str, str] = {"en": "English", "fr": "French", "zh": "Chinese", "ja": "Japanese"}

_CONCEPTS = """
[nature]
water eau 水 水 aqua hydro
river rivière 河流 河川 Nile delta
sun soleil 太阳 太陽 solar Helios
storm tempête 暴风雨 嵐 squall typhoon
cloud nuage 云朵 雲 cumulus cirrus
desert désert 沙漠 砂漠 Sahara Gobi
island île 岛屿 島 atoll Bali
ocean océan 海洋 大洋 Atlantic tsunami
beach plage 海滩 浜辺 surf lagoon
fog brouillard 雾 霧 smog haze
valley vallée 山谷 谷間 canyon Napa
cave grotte 洞穴 洞窟 karst Lascaux
leaf feuille 树叶 葉 maple stoma
tree arbre 树木 樹木 oak bonsai
lawn pelouse 草坪 芝生 turf mower
season saison 季节 季節 Vivaldi solstice
climate climat 气候 気候 Kyoto carbon
field champ 田野 畑 hectare tractor
ice glace 冰块 氷 igloo iceberg
flame flamme 火焰 炎 torch inferno
swamp marais 沼泽 沼地 bog mangrove
[animals]
dog chien 狗 犬 poodle Lassie
horse cheval 马匹 馬 jockey derby
cow vache 奶牛 雌牛 Angus rodeo
pig cochon 猪 豚 bacon Peppa
goat chèvre 山羊 ヤギ feta Capra
bird oiseau 小鸟 鳥 Tweety avian
eagle aigle 老鹰 鷲 falcon raptor
duck canard 鸭子 アヒル Donald mallard
whale baleine 鲸鱼 クジラ Moby orca
shark requin 鲨鱼 サメ Jaws mako
frog grenouille 青蛙 カエル Kermit tadpole
elephant éléphant 大象 ゾウ Dumbo ivory
monkey singe 猴子 猿 macaque gibbon
wolf loup 狼 オオカミ Akela lupus
cat chat 猫 ネコ Garfield meow
bear ours 熊 クマ panda grizzly
snake serpent 蛇 ヘビ cobra venom
fox renard 狐狸 キツネ Zorro fennec
rabbit lapin 兔子 ウサギ bunny Miffy
mouse souris 老鼠 ネズミ Mickey rodent
bee abeille 蜜蜂 ミツバチ hive nectar
[food]
bread pain 面包 パン bagel baguette
cheese fromage 奶酪 チーズ brie cheddar
butter beurre 黄油 バター ghee croissant
milk lait 牛奶 牛乳 latte lactose
egg œuf 鸡蛋 卵 yolk omelette
rice riz 米饭 ご飯 paella risotto
salt sel 食盐 塩 sodium NaCl
sugar sucre 白糖 砂糖 candy glucose
pepper poivre 胡椒 コショウ chili cayenne
apple pomme 苹果 リンゴ cider Fuji
lemon citron 柠檬 レモン citrus zest
banana banane 香蕉 バナナ Chiquita Musa
tomato tomate 番茄 トマト ketchup pizza
onion oignon 洋葱 タマネギ shallot chive
garlic ail 大蒜 ニンニク aioli pesto
soup soupe 汤 スープ ramen miso
cake gâteau 蛋糕 ケーキ muffin tiramisu
coffee café 咖啡 コーヒー mocha espresso
beer bière 啤酒 ビール lager ale
honey miel 蜂蜜 ハチミツ mead Manuka
noodle nouille 面条 麺 udon pasta
salad salade 沙拉 サラダ Caesar crouton
[home]
house maison 房子 家屋 villa condo
door porte 房门 ドア hinge knock
window fenêtre 窗户 窓 pane Vista
roof toit 屋顶 屋根 tile gable
wall mur 墙 壁 brick graffiti
bed lit 床 ベッド futon mattress
lamp lampe 台灯 ランプ LED lumen
mirror miroir 镜子 鏡 Narcissus selfie
key clé 钥匙 鍵 Yale padlock
clock horloge 时钟 時計 Casio Rolex
bottle bouteille 瓶子 ボトル cork flask
cup tasse 杯子 カップ mug saucer
plate assiette 盘子 皿 ceramic sushi
knife couteau 刀子 ナイフ blade Opinel
spoon cuillère 勺子 スプーン ladle yogurt
towel serviette 毛巾 タオル spa sauna
blanket couverture 毯子 毛布 fleece wool
soap savon 肥皂 石鹸 Dove lather
garden jardin 花园 庭 Eden gnome
kitchen cuisine 厨房 台所 chef wok
shirt chemise 衬衫 シャツ polo collar
shoe chaussure 鞋子 靴 Nike sneaker
[people]
head tête 脑袋 頭 skull helmet
eye œil 眼睛 目 retina iris
tooth dent 牙齿 歯 molar Colgate
heart cœur 心脏 心臓 cardio ECG
skin peau 皮肤 皮膚 derma tattoo
hair cheveux 头发 髪 keratin shampoo
brain cerveau 大脑 脳 neuron cortex
doctor médecin 医生 医者 clinic MRI
nurse infirmière 护士 看護師 Nightingale scrubs
hospital hôpital 医院 病院 ICU triage
medicine médicament 药物 薬 aspirin Pfizer
disease maladie 疾病 病気 virus Ebola
fever fièvre 发烧 熱 malaria Celsius
vaccine vaccin 疫苗 ワクチン polio Pasteur
baby bébé 婴儿 赤ちゃん Pampers diaper
child enfant 孩子 子供 Lego toddler
mother mère 妈妈 お母さん mama Gaia
father père 爸爸 お父さん papa Vader
friend ami 朋友 友達 buddy chum
king roi 国王 王様 Arthur throne
soldier soldat 士兵 兵士 NATO bunker
[city]
city ville 城市 都市 urban Manhattan
street rue 街道 通り boulevard avenue
bridge pont 桥梁 橋 Brooklyn viaduct
car voiture 汽车 自動車 Toyota sedan
truck camion 卡车 トラック diesel Volvo
bicycle vélo 自行车 自転車 pedal Giro
airplane avion 飞机 飛行機 Boeing Airbus
airport aéroport 机场 空港 terminal Heathrow
boat bateau 小船 ボート kayak yacht
station gare 车站 駅 Eurostar platform
ticket billet 车票 切符 QR coupon
map carte 地图 地図 atlas GPS
hotel hôtel 酒店 ホテル Hilton lobby
bank banque 银行 銀行 HSBC ATM
market marché 市场 市場 bazaar stall
church église 教堂 教会 Gothic choir
castle château 城堡 お城 moat Versailles
park parc 公园 公園 picnic skate
factory usine 工厂 工場 Foxconn turbine
museum musée 博物馆 博物館 Louvre Prado
engine moteur 发动机 エンジン piston turbo
[learning]
library bibliothèque 图书馆 図書館 ISBN shelf
teacher professeur 老师 教師 Montessori tutor
book livre 书籍 書籍 Kindle paperback
dictionary dictionnaire 词典 辞書 Oxford lexicon
newspaper journal 报纸 新聞 Reuters tabloid
letter lettre 信件 手紙 DHL envelope
word mot 单词 単語 Scrabble syllable
pencil crayon 铅笔 鉛筆 graphite Faber
exam examen 考试 試験 quiz TOEFL
lesson leçon 课程 授業 Moodle module
homework devoir 作业 宿題 Khan essay
knowledge savoir 知识 知識 Wikipedia wiki
history histoire 历史 歴史 Herodotus epoch
poem poème 诗歌 詩 haiku sonnet
novel roman 小说 小説 Tolstoy fiction
war guerre 战争 戦争 tank Verdun
peace paix 和平 平和 Nobel Gandhi
election élection 选举 選挙 ballot vote
dream rêve 梦想 夢 Freud REM
gift cadeau 礼物 プレゼント ribbon Santa
wedding mariage 婚礼 結婚式 bride tuxedo
[work]
money argent 金钱 お金 dollar euro
price prix 价格 値段 USD discount
tax impôt 税收 税金 VAT IRS
salary salaire 工资 給料 bonus payroll
company entreprise 公司 会社 CEO Inc
worker ouvrier 工人 労働者 Marx union
boss patron 老板 上司 manager mogul
meeting réunion 会议 会議 Zoom agenda
contract contrat 合同 契約 clause NDA
customer client 顾客 顧客 CRM VIP
insurance assurance 保险 保険 Allianz AXA
trade commerce 贸易 貿易 WTO tariff
debt dette 债务 借金 loan IMF
stock action 股票 株式 Nasdaq broker
lawyer avocat 律师 弁護士 notary Grisham
judge juge 法官 裁判官 verdict jury
thief voleur 小偷 泥棒 Lupin burglar
farm ferme 农场 農場 barn hay
coal charbon 煤炭 石炭 lignite mining
hammer marteau 锤子 ハンマー Thor anvil
package colis 包裹 小包 FedEx UPS
[technology]
computer ordinateur 电脑 パソコン CPU laptop
keyboard clavier 键盘 キーボード QWERTY ASCII
screen écran 屏幕 画面 OLED pixel
telephone téléphone 电话 電話 Nokia SIM
camera caméra 相机 カメラ Nikon lens
battery pile 电池 電池 lithium Duracell
rocket fusée 火箭 ロケット NASA Soyuz
planet planète 行星 惑星 Mars Saturn
experiment expérience 实验 実験 lab petri
gene gène 基因 遺伝子 DNA genome
cell cellule 细胞 細胞 mitosis nucleus
scientist scientifique 科学家 科学者 Einstein Curie
software logiciel 软件 ソフトウェア Linux Adobe
network réseau 网络 ネットワーク WiFi router
file fichier 文件 ファイル ZIP PDF
email courriel 邮件 メール Gmail SMTP
printer imprimante 打印机 プリンター toner Canon
tool outil 工具 道具 Bosch wrench
gravity gravité 引力 重力 Newton orbit
oxygen oxygène 氧气 酸素 ozone Lavoisier
bomb bombe 炸弹 爆弾 TNT atomic
[arts]
music musique 音乐 音楽 Mozart MTV
guitar guitare 吉他 ギター Fender riff
violin violon 小提琴 バイオリン Paganini cello
drum tambour 鼓 ドラム bongo Ringo
dance danse 舞蹈 ダンス tango waltz
painting peinture 绘画 絵画 Picasso canvas
theater théâtre 剧院 劇場 Broadway Hamlet
actor acteur 演员 俳優 Oscar Brando
photograph photographie 照片 写真 Kodak JPEG
ball balle 皮球 ボール Wilson bounce
victory victoire 胜利 勝利 trophy podium
medal médaille 奖牌 メダル bronze Olympic
team équipe 团队 チーム coach Lakers
game jeu 游戏 ゲーム chess Nintendo
toy jouet 玩具 おもちゃ Barbie yoyo
doll poupée 娃娃 人形 puppet voodoo
player joueur 球员 選手 MVP Messi
hunter chasseur 猎人 狩人 rifle safari
ghost fantôme 鬼魂 幽霊 Casper zombie
devil diable 魔鬼 悪魔 Lucifer Faust
joke blague 笑话 冗談 LOL meme
"""


@dataclass(frozen=True)
class Entry:
    """A concept as written above: `words` in the order of LANGUAGES, and its two pivot words."""

    topic: str
    words: tuple[str, ...]
    pivots: tuple[str, ...]


def read_entries() -> list[Entry]:
    """Return all concepts, in the order of the list."""
    entries, topic = [], ""
    for line in _CONCEPTS.split("\n"):
        if line.startswith("["):
            topic = line.strip("[]")
        elif line:
            parts = tuple(line.split(" "))
            entries.append(Entry(topic, parts[: len(LANGUAGES)], parts[len(LANGUAGES) :]))
    return entries
