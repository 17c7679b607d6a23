#include "tools/import/blocked_services.h"

#include <algorithm>

namespace steer::importing {
namespace {

struct ServiceRow {
    std::string_view service, list;
};
// Sorted by service.
constexpr ServiceRow kServices[] = {
    {"4chan", "4chan"},
    {"amazon", "amazon"},
    {"amazon_streaming", "primevideo"},
    {"apple_streaming", "apple-tvplus"},
    {"bilibili", "bilibili"},
    {"blizzard_entertainment", "blizzard"},
    {"bluesky", "bluesky"},
    {"chatgpt", "openai"},
    {"claude", "anthropic"},
    {"cloudflare", "cloudflare"},
    {"clubhouse", "clubhouse"},
    {"coolapk", "coolapk"},
    {"dailymotion", "dailymotion"},
    {"deepseek", "deepseek"},
    {"deezer", "deezer"},
    {"discord", "discord"},
    {"discoveryplus", "discoveryplus"},
    {"disneyplus", "disney"},
    {"douban", "douban"},
    {"dropbox", "dropbox"},
    {"ebay", "ebay"},
    {"electronic_arts", "ea"},
    {"epic_games", "epicgames"},
    {"espn", "espn"},
    {"facebook", "facebook"},
    {"flickr", "flickr"},
    {"gemini", "google-gemini"},
    {"gog", "gog"},
    {"grok", "xai"},
    {"hbomax", "hbo"},
    {"hulu", "hulu"},
    {"imgur", "imgur"},
    {"instagram", "instagram"},
    {"iqiyi", "iqiyi"},
    {"kakaotalk", "kakao"},
    {"leagueoflegends", "riot"},
    {"line", "line"},
    {"linkedin", "linkedin"},
    {"mail_ru", "mailru-group"},
    {"manus", "manus"},
    {"messenger", "messenger"},
    {"minecraft", "mojang"},
    {"netflix", "netflix"},
    {"nintendo", "nintendo"},
    {"nvidia", "nvidia"},
    {"ok", "ok"},
    {"origin", "origin"},
    {"perplexity", "perplexity"},
    {"pinterest", "pinterest"},
    {"playstation", "playstation"},
    {"plex", "plex"},
    {"qq", "tencent"},
    {"rakuten_viki", "rakuten"},
    {"reddit", "reddit"},
    {"riot_games", "riot"},
    {"roblox", "roblox"},
    {"rockstar_games", "rockstar"},
    {"shopee", "shopee"},
    {"signal", "signal"},
    {"slack", "slack"},
    {"snapchat", "snap"},
    {"soundcloud", "soundcloud"},
    {"spotify", "spotify"},
    {"spotify_video", "spotify"},
    {"steam", "steam"},
    {"telegram", "telegram"},
    {"tidal", "tidal"},
    {"tiktok", "tiktok"},
    {"tumblr", "tumblr"},
    {"twitch", "twitch"},
    {"twitter", "twitter"},
    {"ubisoft", "ubisoft"},
    {"valorant", "riot"},
    {"viber", "viber"},
    {"vimeo", "vimeo"},
    {"vk", "vk"},
    {"wargaming", "wargaming"},
    {"wechat", "tencent"},
    {"weibo", "sina"},
    {"whatsapp", "whatsapp"},
    {"xboxlive", "xbox"},
    {"xiaohongshu", "xiaohongshu"},
    {"youtube", "youtube"},
    {"yy", "yy"},
    {"zhihu", "zhihu"},
};

}  // namespace

std::string_view service_list(std::string_view service) {
    const auto* const at = std::ranges::lower_bound(kServices, service, {}, &ServiceRow::service);
    return at != std::end(kServices) && at->service == service ? at->list : std::string_view{};
}

}  // namespace steer::importing
