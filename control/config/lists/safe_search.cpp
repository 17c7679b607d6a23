#include "control/config/lists/safe_search.h"

#include <array>

namespace steer::config {
namespace {

// Google's supported domains, without "google.".
constexpr std::array<std::string_view, 187> kCountries{
    "com",    "ad",     "ae",     "com.af", "com.ag", "al",     "am",     "co.ao",  "com.ar",
    "as",     "at",     "com.au", "az",     "ba",     "com.bd", "be",     "bf",     "bg",
    "com.bh", "bi",     "bj",     "com.bn", "com.bo", "com.br", "bs",     "bt",     "co.bw",
    "by",     "com.bz", "ca",     "cd",     "cf",     "cg",     "ch",     "ci",     "co.ck",
    "cl",     "cm",     "cn",     "com.co", "co.cr",  "com.cu", "cv",     "com.cy", "cz",
    "de",     "dj",     "dk",     "dm",     "com.do", "dz",     "com.ec", "ee",     "com.eg",
    "es",     "com.et", "fi",     "com.fj", "fm",     "fr",     "ga",     "ge",     "gg",
    "com.gh", "com.gi", "gl",     "gm",     "gr",     "com.gt", "gy",     "com.hk", "hn",
    "hr",     "ht",     "hu",     "co.id",  "ie",     "co.il",  "im",     "co.in",  "iq",
    "is",     "it",     "je",     "com.jm", "jo",     "co.jp",  "co.ke",  "com.kh", "ki",
    "kg",     "co.kr",  "com.kw", "kz",     "la",     "com.lb", "li",     "lk",     "co.ls",
    "lt",     "lu",     "lv",     "com.ly", "co.ma",  "md",     "me",     "mg",     "mk",
    "ml",     "com.mm", "mn",     "com.mt", "mu",     "mv",     "mw",     "com.mx", "com.my",
    "co.mz",  "com.na", "com.ng", "com.ni", "ne",     "nl",     "no",     "com.np", "nr",
    "nu",     "co.nz",  "com.om", "com.pa", "com.pe", "com.pg", "com.ph", "com.pk", "pl",
    "pn",     "com.pr", "ps",     "pt",     "com.py", "com.qa", "ro",     "ru",     "rw",
    "com.sa", "com.sb", "sc",     "se",     "com.sg", "sh",     "si",     "sk",     "com.sl",
    "sn",     "so",     "sm",     "sr",     "st",     "com.sv", "td",     "tg",     "co.th",
    "com.tj", "tl",     "tm",     "tn",     "to",     "com.tr", "tt",     "com.tw", "co.tz",
    "com.ua", "co.ug",  "co.uk",  "com.uy", "co.uz",  "com.vc", "co.ve",  "co.vi",  "com.vn",
    "vu",     "ws",     "rs",     "co.za",  "co.zm",  "co.zw",  "cat"};
constexpr std::array<std::string_view, 1> kBing{"www.bing.com"};
constexpr std::array<std::string_view, 3> kDuckDuckGo{"duckduckgo.com", "www.duckduckgo.com",
                                                      "start.duckduckgo.com"};
constexpr std::array<std::string_view, 5> kYouTube{
    "www.youtube.com", "m.youtube.com", "youtubei.googleapis.com", "youtube.googleapis.com",
    "www.youtube-nocookie.com"};
constexpr std::array<std::string_view, 1> kBrave{"search.brave.com"};
constexpr std::array<std::string_view, 1> kEcosia{"www.ecosia.org"};
constexpr std::array<std::string_view, 1> kPixabay{"pixabay.com"};

constexpr std::array<SafeSearchEngine, 8> kEngines{{
    {"google", "forcesafesearch.google.com", {}, kCountries},
    {"bing", "strict.bing.com", kBing, {}},
    {"duckduckgo", "safe.duckduckgo.com", kDuckDuckGo, {}},
    {"youtube", "restrict.youtube.com", kYouTube, {}},
    {"youtube_moderate", "restrictmoderate.youtube.com", kYouTube, {}},
    {"brave", "forcesafe.search.brave.com", kBrave, {}},
    {"ecosia", "strict-safe-search.ecosia.org", kEcosia, {}},
    {"pixabay", "safesearch.pixabay.com", kPixabay, {}},
}};

}  // namespace

std::span<const SafeSearchEngine> safe_search_engines() {
    return kEngines;
}

std::vector<std::string> names_of(const SafeSearchEngine& engine) {
    std::vector<std::string> out(engine.names.begin(), engine.names.end());
    for (const std::string_view country : engine.countries)
        out.push_back("www.google." + std::string(country));
    return out;
}

const std::string& safe_search_words() {
    static const std::string words = [] {
        std::string out;
        for (const SafeSearchEngine& engine : kEngines)
            out += (out.empty() ? "" : "|") + std::string(engine.name);
        return out;
    }();
    return words;
}

}  // namespace steer::config
