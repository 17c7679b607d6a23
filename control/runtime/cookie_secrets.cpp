#include "control/runtime/cookie_secrets.h"

#include <sys/random.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "control/api/log/response_text.h"
#include "control/config/sections/secret_lines.h"

namespace steer {
namespace {

namespace json = boost::json;

config::CookieSecretBytes random_cookie_secret() {
    config::CookieSecretBytes bytes{};
    if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
        std::fprintf(stderr, "the system has no random bytes for a cookie secret\n");
        std::abort();
    }
    return bytes;
}

}  // namespace

Result<void> CookieSecrets::restore(const json::object& stored, std::int64_t wall_s) {
    const json::value* const list = stored.if_contains("secrets");
    if (list == nullptr) return {};
    const Error damaged{"the stored secrets of cookies are damaged: new ones are made"};
    if (!list->is_array() || list->get_array().empty() || list->get_array().size() > 2)
        return damaged;
    std::optional<Secret> secrets[2];
    for (std::size_t i = 0; i < list->get_array().size(); ++i) {
        const json::object* const one = list->get_array()[i].if_object();
        const json::value* const hex = one == nullptr ? nullptr : one->if_contains("secret");
        const json::value* const made = one == nullptr ? nullptr : one->if_contains("made_s");
        if (hex == nullptr || made == nullptr || !hex->is_string() || !made->is_int64())
            return damaged;
        const auto bytes = config::secret_of<config::CookieSecretBytes{}.size()>(
            std::string_view(hex->get_string()));
        if (!bytes || made->get_int64() > wall_s + kOverlapS) return damaged;
        secrets[i] = Secret{*bytes, made->get_int64()};
    }
    current_ = secrets[0];
    before_ = secrets[1];
    return {};
}

bool CookieSecrets::update(std::int64_t wall_s, std::int64_t rollover_s) {
    bool changed = false;
    if (current_ && before_ && wall_s >= current_->made_s + kOverlapS) {
        before_.reset();
        changed = true;
    }
    const bool is_due = !current_ || wall_s >= current_->made_s + rollover_s;
    if (!is_due) return changed;
    const bool was_used = current_ && wall_s < current_->made_s + rollover_s + kOverlapS;
    before_ = was_used ? current_ : std::nullopt;
    current_ = Secret{random_cookie_secret(), wall_s};
    return true;
}

std::string CookieSecrets::to_json() const {
    json::array list;
    for (const auto* const secret : {&current_, &before_}) {
        if (*secret)
            list.push_back({{"secret", ops::hex((*secret)->bytes)}, {"made_s", (*secret)->made_s}});
    }
    return json::serialize(json::object{{"secrets", std::move(list)}}) + "\n";
}

dns::CookieKeys CookieSecrets::keys() const {
    std::vector<config::CookieSecretBytes> secrets;
    for (const auto* const secret : {&current_, &before_}) {
        if (*secret) secrets.push_back((*secret)->bytes);
    }
    return cookie_keys(secrets);
}

dns::CookieKeys cookie_keys(const std::vector<config::CookieSecretBytes>& secrets) {
    dns::CookieKeys keys;
    if (!secrets.empty()) keys.current = dns::CookieSecret::of(secrets[0]);
    keys.has_other = secrets.size() > 1;
    if (keys.has_other) keys.other = dns::CookieSecret::of(secrets[1]);
    return keys;
}

}  // namespace steer
