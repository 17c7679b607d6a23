#include "control/operator/init/answers.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>

#include "control/config/load.h"
#include "control/operator/init/configuration_text.h"
#include "control/program/build/ranges.h"
#include "matchers/quote.h"
#include "matchers/safe_text.h"

namespace steer::init {
namespace {

constexpr std::string_view kNone = "none", kHost = "host", kPrivate = "private", kLater = "later";
constexpr std::string_view kWellKnownPrefix = "64:ff9b::/96";  // RFC 6052

// Public resolvers with a short name, asked over TLS.
struct PublicResolver {
    std::string_view word, addr;
    std::array<std::string_view, 2> v4, v6;
};
constexpr std::array<PublicResolver, 3> kPublic{{
    {"quad9", "tls://dns.quad9.net", {"9.9.9.9", "149.112.112.112"}, {"2620:fe::fe", "2620:fe::9"}},
    {"cloudflare",
     "tls://one.one.one.one",
     {"1.1.1.1", "1.0.0.1"},
     {"2606:4700:4700::1111", "2606:4700:4700::1001"}},
    {"google",
     "tls://dns.google",
     {"8.8.8.8", "8.8.4.4"},
     {"2001:4860:4860::8888", "2001:4860:4860::8844"}},
}};

std::vector<std::string> words_of(std::string_view text) {
    constexpr std::string_view kBetween = " \t,";
    std::vector<std::string> out;
    while (true) {
        const auto begin = text.find_first_not_of(kBetween);
        if (begin == text.npos) return out;
        text.remove_prefix(begin);
        const auto end = std::min(text.find_first_of(kBetween), text.size());
        out.emplace_back(text.substr(0, end));
        text.remove_prefix(end);
    }
}

bool is_none(std::string_view text) {
    return text == kNone || text == "no";
}

bool is_url(std::string_view text) {
    return text.starts_with("http://") || text.starts_with("https://");
}

// The first error of the configuration's parser about these answers. Missing answers have valid placeholders.
Result<void> parsed(Answers answers) {
    const auto fill = [](std::string& text, const char* with) {
        if (text.empty()) text = with;
    };
    if (answers.interfaces.empty()) answers.interfaces = {"eth0"};
    fill(answers.user, "steerdns");
    fill(answers.password, "password");
    fill(answers.list, "policy");
    if (answers.names.empty() && answers.name_files.empty()) answers.names = {"name.example"};
    const auto loaded =
        config::load_text(configuration_text(answers, answers.password_file), "answers");
    if (loaded.ok()) return {};
    return Error{loaded.errors.front().text};
}

// ---- 1: where clients come in

std::string propose_interface(const Answers&, const Host& host) {
    const Interface* const one = host.find(host.default_interface);
    return one != nullptr && !one->addresses.empty() ? one->name : std::string{};
}

Result<void> take_interfaces(const std::string& text, const Host& host, Answers& answers) {
    answers.interfaces = words_of(text);
    for (const std::string& name : answers.interfaces) {
        const Interface* const known = host.find(name);
        if (known == nullptr) {
            std::string all;
            for (const Interface& one : host.interfaces)
                all += (all.empty() ? "" : ", ") + one.name;
            return Error{"there is no interface " + matchers::quoted(name) +
                         " here; there are: " + all};
        }
        if (known->addresses.empty()) {
            std::string sentence = name;
            sentence.append(
                " has no address that clients could ask: `ip address add 192.0.2.53/24 dev ");
            sentence.append(name).append("` gives it one");
            return Error{sentence};
        }
    }
    return {};
}

// ---- 2: who resolves

std::string propose_upstreams(const Answers&, const Host& host) {
    return host.servers.empty() ? std::string{} : std::string(kHost);
}

bool has_v4(const Host& host, const Answers& answers) {
    return std::ranges::any_of(answers.interfaces, [&](const std::string& name) {
        const Interface* const one = host.find(name);
        return one != nullptr &&
               std::ranges::any_of(one->addresses, [](const IpAddress& ip) { return ip.is_v4(); });
    });
}

Result<void> take_upstreams(const std::string& text, const Host& host, Answers& answers) {
    answers.upstreams.clear();
    if (text == kHost) {
        if (!host.servers.empty()) return {};
        return Error{
            "this host's network named no resolver (/etc/resolv.conf): write one, as in 192.0.2.1"};
    }
    for (const std::string& word : words_of(text)) {
        if (word == kHost) return Error{"'host' stands alone: write it, or addresses"};
        const auto* const known = std::ranges::find(kPublic, word, &PublicResolver::word);
        if (known == kPublic.end()) {
            answers.upstreams.push_back({word, {}});
            continue;
        }
        for (const std::string_view address : has_v4(host, answers) ? known->v4 : known->v6)
            answers.upstreams.push_back({std::string(known->addr), std::string(address)});
    }
    return {};
}

// ---- 3: who may ask

std::string propose_allow(const Answers&, const Host&) {
    return std::string(kPrivate);
}

Result<void> take_allow(const std::string& text, const Host&, Answers& answers) {
    answers.allow.clear();
    if (text == kPrivate) return {};
    for (const std::string& word : words_of(text)) {
        if (word != kPrivate) {
            answers.allow.push_back(word);
            continue;
        }
        for (const matchers::Prefix& prefix : build::private_ranges())
            answers.allow.push_back(prefix.to_string());
    }
    return {};
}

// ---- 4: the router

bool has_router(const Answers& answers) {
    return !answers.router.empty();
}

std::string propose_router(const Answers&, const Host&) {
    return std::string(kNone);
}
Result<void> take_router(const std::string& text, const Host&, Answers& answers) {
    answers.router = is_none(text) ? std::string{} : text;
    return {};
}

std::string propose_user(const Answers&, const Host&) {
    return "steerdns";
}
Result<void> take_user(const std::string& text, const Host&, Answers& answers) {
    answers.user = text;
    return {};
}

// 24 of 56 characters: 139 bits.
Result<std::string> new_password() {
    constexpr std::string_view kLetters =
        "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    constexpr unsigned kFair = 256 - 256 % kLetters.size();
    std::string out;
    while (out.size() < 24) {
        unsigned char byte = 0;
        if (::getrandom(&byte, 1, 0) != 1)
            return Error{"a password cannot be made: the system gave no random number; write one"};
        if (byte < kFair) out += kLetters[byte % kLetters.size()];
    }
    return Result<std::string>(boost::system::in_place_value, std::move(out));
}

// Empty: a new one.
Result<void> take_password(const std::string& text, const Host&, Answers& answers) {
    if (!text.empty()) {
        answers.password = text;
        return {};
    }
    auto made = new_password();
    if (!made) return made.error();
    answers.password = *made;
    return {};
}

std::string propose_tls(const Answers&, const Host&) {
    return "no";
}
Result<void> take_tls(const std::string& text, const Host&, Answers& answers) {
    answers.tls = !is_none(text);
    answers.tls_anonymous = text == "anonymous";
    answers.tls_ca.clear();
    answers.tls_pin.clear();
    if (!answers.tls || answers.tls_anonymous || text == "yes") return {};
    if (text.find('/') != std::string::npos) {
        answers.tls_ca = std::filesystem::absolute(text).lexically_normal().string();
    } else {
        answers.tls_pin = text;
    }
    return {};
}

// ---- 5: names and their way

Result<void> take_names(const std::string& text, const Host&, Answers& answers) {
    answers.names.clear();
    answers.name_files.clear();
    if (is_none(text))
        return Error{"a router needs names: write one, as in media.example, or no router"};
    for (const std::string& word : words_of(text)) {
        if (is_url(word)) {
            answers.name_files.push_back(word);
        } else if (word.find('/') != std::string::npos) {
            answers.name_files.push_back(
                std::filesystem::absolute(word).lexically_normal().string());
        } else {
            answers.names.push_back(word.find(':') == std::string::npos ? "domain:" + word : word);
        }
    }
    return {};
}

std::string propose_list(const Answers&, const Host&) {
    return "policy";
}
Result<void> take_list(const std::string& text, const Host&, Answers& answers) {
    if (words_of(text).size() != 1) return Error{"the name of a list has no blanks and no commas"};
    answers.list = text;
    return {};
}

std::string propose_gateway4(const Answers&, const Host&) {
    return std::string(kLater);
}
std::string propose_gateway6(const Answers&, const Host&) {
    return std::string(kNone);
}
// An address of the family, or an interface of the router.
Result<void> take_gateway(const std::string& text, bool v4, std::string& out) {
    const auto address = IpAddress::parse(text);
    if (address && address->is_v4() != v4)
        return Error{matchers::quoted(text) + " is no IPv" + (v4 ? "4" : "6") + " address"};
    if (words_of(text).size() != 1)
        return Error{matchers::quoted(text) +
                     " is neither an address nor one interface of the router"};
    out = text;
    return {};
}
Result<void> take_gateway4(const std::string& text, const Host&, Answers& answers) {
    answers.gateway4.clear();
    if (text == kLater) return {};
    return take_gateway(text, true, answers.gateway4);
}
Result<void> take_gateway6(const std::string& text, const Host&, Answers& answers) {
    answers.gateway6.clear();
    if (is_none(text)) return {};
    return take_gateway(text, false, answers.gateway6);
}

// ---- 6: DNS64

std::string propose_dns64(const Answers&, const Host&) {
    return std::string(kNone);
}
Result<void> take_dns64(const std::string& text, const Host&, Answers& answers) {
    answers.dns64 = is_none(text) ? "" : text == "yes" ? std::string(kWellKnownPrefix) : text;
    if (words_of(answers.dns64).size() > 1)
        return Error{"one prefix is expected, as in 64:ff9b::/96"};
    return {};
}

// ---- 7 to 9: the page, ads, the log

std::string propose_page(const Answers&, const Host&) {
    return "yes";
}
Result<void> take_page(const std::string& text, const Host&, Answers& answers) {
    answers.has_page = text == "yes";
    if (answers.has_page || is_none(text)) return {};
    return Error{matchers::quoted(text) + " says neither yes nor no"};
}

// Hosts of ads, trackers and malware, under the MIT licence.
constexpr std::string_view kAdList =
    "https://raw.githubusercontent.com/StevenBlack/hosts/master/hosts";

std::string propose_no(const Answers&, const Host&) {
    return "no";
}
Result<void> take_ads(const std::string& text, const Host&, Answers& answers) {
    answers.ads.clear();
    if (is_none(text)) return {};
    if (text == "yes") {
        answers.ads = kAdList;
    } else if (is_url(text)) {
        answers.ads = text;
    } else if (text.find('/') != std::string::npos) {
        answers.ads = std::filesystem::absolute(text).lexically_normal().string();
    } else {
        return Error{matchers::quoted(text) + " is neither a path nor a URL: write yes, no or one"};
    }
    return {};
}

Result<void> take_days(const std::string& text, const Host&, Answers& answers) {
    answers.days = is_none(text) ? "" : text == "yes" ? "7" : text;
    if (std::ranges::all_of(answers.days, [](char c) { return c >= '0' && c <= '9'; })) return {};
    return Error{matchers::quoted(text) + " is no number of days: write one, as in 7"};
}

// An answer with a valid form that the parser accepts.
template <Result<void> (*take_it)(const std::string&, const Host&, Answers&)>
Result<void> take(const std::string& text, const Host& host, Answers& answers) {
    if (!text.empty() && words_of(text).empty())
        return Error{matchers::quoted(text) + " says nothing"};
    if (!is_safe_text(text, std::string::npos))
        return Error{matchers::quoted(text) +
                     " has characters that cannot be printed: leave them out"};
    Answers changed = answers;
    if (auto good = take_it(text, host, changed); !good) return good;
    if (auto good = parsed(changed); !good) return good;
    answers = std::move(changed);
    return {};
}

constexpr std::array<Question, 15> kRows{{
    {"1", "--interface", "Which interfaces do clients reach?", "interface",
     "one or more names, as in eth0", false, nullptr, propose_interface, take<take_interfaces>},
    {"2", "--upstream", "Who resolves names?", "resolvers",
     "host (the resolvers of this host's network); addresses, as in 192.0.2.1 "
     "tls://dns.example; or quad9, cloudflare, google",
     false, nullptr, propose_upstreams, take<take_upstreams>},
    {"3", "--allow", "Which clients may ask?", "clients",
     "private (private addresses and this host's own networks); or prefixes, as in private "
     "198.51.100.0/24",
     false, nullptr, propose_allow, take<take_allow>},
    {"4", "--router", "Which MikroTik router gets the address lists?", "router",
     "its address, as in 192.168.88.1 or 192.168.88.1:8728; none: SteerDNS only resolves names",
     false, nullptr, propose_router, take<take_router>},
    {"4a", "--router-user", "", "its API user", "a user name; the RouterOS block makes this user",
     false, has_router, propose_user, take<take_user>},
    {"4b", "", "", "its password", "the password for that user", true, has_router, nullptr,
     take<take_password>},
    {"4c", "--router-tls", "", "API over TLS",
     "no; yes (its certificate is signed by an authority that this host trusts); anonymous; the "
     "path of a CA file; or the SHA-256 of its certificate",
     false, has_router, propose_tls, take<take_tls>},
    {"5", "--names", "Which names take another way out?", "names",
     "domains, as in media.example; paths of lists, as in /etc/steerdns/names; URLs of lists",
     false, has_router, nullptr, take<take_names>},
    {"5a", "--list", "", "address list", "its name; _v4 and _v6 are added", false, has_router,
     propose_list, take<take_list>},
    {"5b", "--gateway", "", "next hop of that way, IPv4",
     "an address, or the router's interface, as in wg1; later: you fill it in", false, has_router,
     propose_gateway4, take<take_gateway4>},
    {"5c", "--gateway6", "", "next hop of that way, IPv6",
     "an address, or the router's interface; none: that way has no IPv6", false, has_router,
     propose_gateway6, take<take_gateway6>},
    {"6", "--dns64", "Do clients without IPv4 need DNS64?", "prefix",
     "none; yes (64:ff9b::/96); or the prefix of your NAT64", false, nullptr, propose_dns64,
     take<take_dns64>},
    {"7", "--page", "Do you want a page in the browser?", "page",
     "yes (over HTTPS, port 9154 of all addresses); no", false, nullptr, propose_page,
     take<take_page>},
    {"8", "--block-ads", "Block ads and trackers?", "ads",
     "no; yes (the list StevenBlack/hosts, MIT licence); or the path or URL of another list", false,
     nullptr, propose_no, take<take_ads>},
    {"9", "--log", "Keep a log of queries?", "days",
     "no; or for how many days, as in 7: who asked for what, in /var/lib/steerdns", false, nullptr,
     propose_no, take<take_days>},
}};

}  // namespace

const Interface* Host::find(std::string_view name) const {
    const auto one = std::ranges::find(interfaces, name, &Interface::name);
    return one == interfaces.end() ? nullptr : &*one;
}

std::span<const Question> questions() {
    return kRows;
}

}  // namespace steer::init
