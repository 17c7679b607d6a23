#include "control/config/foreign_file.h"

#include <algorithm>
#include <array>
#include <vector>

#include "matchers/foreign_lines.h"
#include "matchers/text.h"

namespace steer::config {
namespace {

using matchers::trimmed;

constexpr std::size_t kMaxLines = 200;  // of content that decide

bool is_comment(std::string_view line) {
    return trimmed(line).starts_with('#');
}

// "# 2026-02-05 12:34:56 by RouterOS 7.16.1".
bool is_routeros_head(std::string_view line) {
    return is_comment(line) && line.find(" by RouterOS ") != std::string_view::npos;
}

// The beginning of a file: lines that are not empty and not comments, without the carriage return. The head line of
// RouterOS is kept. A file may begin with any number of comments.
std::vector<std::string_view> first_lines(std::string_view text) {
    std::vector<std::string_view> lines;
    text = matchers::without_marks(text);
    while (!text.empty() && lines.size() < kMaxLines) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        const bool is_content = !trimmed(line).empty() && !is_comment(line);
        if (is_content || is_routeros_head(line)) lines.push_back(line);
    }
    return lines;
}

// Its head line, or a menu as the first line of content.
bool is_routeros(const std::vector<std::string_view>& lines) {
    constexpr std::array kMenus{"/ip",      "/interface",   "/system", "/ipv6",
                                "/routing", "/queue",       "/tool",   "/user",
                                "/ppp",     "/certificate", "/radius", "/snmp"};
    if (lines.empty()) return false;
    const std::string_view line = lines.front();
    return is_routeros_head(line) || std::ranges::any_of(kMenus, [&](std::string_view menu) {
               if (!line.starts_with(menu)) return false;
               const std::string_view rest = line.substr(menu.size());
               return rest.empty() || rest.front() == ' ' || rest.front() == '/';
           });
}

// The first line of content opens a block of a zone: `. {`, `example.org:53 {`, `(snippet) {`.
bool is_corefile(const std::vector<std::string_view>& lines) {
    if (lines.empty()) return false;
    const std::string_view content = trimmed(lines.front());
    return content.ends_with('{') && content.find(": ") == std::string_view::npos &&
           content.find('"') == std::string_view::npos && content != "{";
}

// Lines of `key` and `key=value`, some with keys of dnsmasq alone.
bool is_dnsmasq(const std::vector<std::string_view>& lines) {
    constexpr std::array kKeys{
        "address",    "addn-hosts",     "bind-interfaces", "bind-dynamic",  "bogus-priv",
        "cache-size", "conf-dir",       "conf-file",       "dhcp-host",     "dhcp-option",
        "dhcp-range", "domain",         "domain-needed",   "expand-hosts",  "interface",
        "ipset",      "listen-address", "local",           "local-service", "log-queries",
        "nftset",     "no-hosts",       "no-poll",         "no-resolv",     "resolv-file",
        "rev-server", "server",         "strict-order",    "all-servers",   "stop-dns-rebind"};
    std::size_t known = 0;
    for (const std::string_view line : lines) {
        const std::string_view key = trimmed(matchers::dnsmasq_line(trimmed(line)).key);
        if (!matchers::is_dnsmasq_key(key)) return false;
        known += std::ranges::find(kKeys, key) != kKeys.end() ? 1U : 0U;
    }
    return known > 0;
}

// Two keys that only AdGuard Home has together.
bool is_adguard_home(const std::vector<std::string_view>& lines) {
    const auto has = [&](std::string_view key) {
        return std::ranges::any_of(lines, [&](std::string_view line) {
            return trimmed(line).starts_with(key) &&
                   (trimmed(line).size() == key.size() || trimmed(line)[key.size()] == ' ');
        });
    };
    const bool has_dns = std::ranges::find(lines, "dns:") != lines.end();
    return has_dns && (has("upstream_dns:") || has("bootstrap_dns:") || has("bind_hosts:"));
}

}  // namespace

std::string foreign_file(std::string_view text, const std::string& file) {
    const std::vector<std::string_view> lines = first_lines(text);
    const bool is_ours = std::ranges::any_of(lines, [](std::string_view line) {
        return line.starts_with("plugins:") || line.starts_with("include:");
    });
    if (is_ours) return {};
    const auto convert = [&](std::string_view what, std::string_view kind) {
        return "this is " + std::string(what) + ": convert it with 'steerctl import " +
               std::string(kind) + " " + file + "'";
    };
    if (is_routeros(lines)) return convert("an export of RouterOS", "routeros");
    if (is_corefile(lines)) return convert("a Corefile of CoreDNS", "corefile");
    if (is_dnsmasq(lines)) return convert("a configuration of dnsmasq", "dnsmasq");
    if (is_adguard_home(lines))
        return "this is the configuration of AdGuard Home, which 'steerctl import' does not "
               "convert: begin with 'steerdnsd --init', write its 'upstream_dns' as 'upstreams' "
               "of a forward, and the URLs of its 'filters' as 'lists' of an adlist";
    return {};
}

}  // namespace steer::config
