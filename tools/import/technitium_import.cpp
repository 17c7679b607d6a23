#include "tools/import/technitium_import.h"

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "tools/import/adguardhome_words.h"
#include "tools/import/blocker_model.h"
#include "tools/import/filter_rule.h"
#include "tools/import/words.h"

namespace steer::importing {
namespace json = boost::json;
namespace {

constexpr std::string_view kSettingsFile = "settings.json", kAllowedFile = "AllowedZones.txt",
                           kBlockedFile = "BlockedZones.txt", kAppFile = "dnsApp.config";

// Settings that need nothing here, and those that a note names if they are on.
constexpr std::string_view kNothing[] = {"version",
                                         "uptimestamp",
                                         "clusterInitialized",
                                         "dnsServerDomain",
                                         "defaultRecordTtl",
                                         "defaultNsRecordTtl",
                                         "defaultSoaRecordTtl",
                                         "defaultResponsiblePerson",
                                         "useSoaSerialDateScheme",
                                         "minSoaRefresh",
                                         "minSoaRetry",
                                         "dnsAppsEnableAutomaticUpdate",
                                         "preferIPv6",
                                         "enableUdpSocketPool",
                                         "socketPoolExcludedPorts",
                                         "udpPayloadSize",
                                         "qpmLimitSampleMinutes",
                                         "qpmLimitUdpTruncationPercentage",
                                         "clientTimeout",
                                         "tcpSendTimeout",
                                         "tcpReceiveTimeout",
                                         "quicIdleTimeout",
                                         "quicMaxInboundStreams",
                                         "listenBacklog",
                                         "udpSendBufferSizeKB",
                                         "udpReceiveBufferSizeKB",
                                         "maxConcurrentResolutionsPerCore",
                                         "dnsOverHttpRealIpHeader",
                                         "resolverRetries",
                                         "resolverTimeout",
                                         "resolverConcurrency",
                                         "resolverMaxStackCount",
                                         "saveCache",
                                         "serveStaleAnswerTtl",
                                         "serveStaleResetTtl",
                                         "serveStaleMaxWaitTime",
                                         "cachePrefetchEligibility",
                                         "cachePrefetchTrigger",
                                         "cachePrefetchSampleIntervalInMinutes",
                                         "cachePrefetchSampleEligibilityHitsPerHour",
                                         "allowTxtBlockingReport",
                                         "blockListUpdateIntervalHours",
                                         "blockListNextUpdatedOn",
                                         "temporaryDisableBlockingTill",
                                         "forwarderRetries",
                                         "forwarderConcurrency",
                                         "enableLogging",
                                         "loggingType",
                                         "ignoreResolverLogs",
                                         "logQueries",
                                         "useLocalTime",
                                         "logFolder",
                                         "maxLogFileDays",
                                         "enableInMemoryStats",
                                         "maxStatFileDays",
                                         "randomizeName",
                                         "qnameMinimization",
                                         "enableDnsOverHttp",
                                         "dnsOverHttpPort",
                                         "dnsOverUdpProxyPort",
                                         "dnsOverTcpProxyPort",
                                         "nsRevalidation",
                                         "qpmLimitBypassList",
                                         "qpmPrefixLimitsIPv6"};
struct TechnitiumNote {
    std::string_view key, text;
};
constexpr TechnitiumNote kTechnitiumNotes[] = {
    {"zoneTransferAllowedNetworks", "SteerDNS serves no zone transfers"},
    {"notifyAllowedNetworks", "write 'notify_from' of a 'secondary'"},
    {"dnssecValidation", "set 'trust_ad' of upstreams that validate, or write a 'recursion'"},
    {"tsigKeys", "write the keys of a 'secondary' as 'tsig'"},
    {"proxy", "write 'socks5' of the upstreams"},
    {"enableDnsOverUdpProxy", "write 'proxy_protocol' of a server"},
    {"enableDnsOverTcpProxy", "write 'proxy_protocol' of a server"},
    {"dnsReverseProxyNetworkACL", "write 'proxy_protocol' of a server"},
    {"dnsTlsCertificatePassword", "write the key to a PEM file without a password"},
    {"dnsServerIPv4SourceAddresses", "the system chooses the source address"},
    {"dnsServerIPv6SourceAddresses", "the system chooses the source address"}};

bool is_json_on(const json::value& value) {
    if (value.is_null()) return false;
    if (value.is_bool()) return value.get_bool();
    if (value.is_string()) return !value.get_string().empty();
    if (value.is_array()) return !value.get_array().empty();
    return true;
}

class TechnitiumImport {
  public:
    TechnitiumImport(const std::vector<FolderFile>& files,
                     const std::function<bool(const std::string&)>& is_file)
        : files_(files), is_file_(is_file) {}

    std::optional<Failure> failure;

    BlockerModel read() {
        if (const std::string_view text = text_of(kSettingsFile); !text.empty()) {
            boost::system::error_code error;
            parsed_ = json::parse(to_utf8(text), error);
            const json::object* object = error ? nullptr : parsed_.if_object();
            if (object != nullptr && object->contains("response"))
                object = object->at("response").if_object();
            if (object == nullptr || !object->contains("dnsServerLocalEndPoints")) {
                failure = Failure{
                    0,
                    "has no settings in settings.json: expected the answer of /api/settings/get"};
                return {};
            }
            settings_ = object;
        }
        check_settings();
        servers();
        upstreams();
        limits();
        cache();
        blocking();
        app();
        if (m_.listen.empty() && settings_ == nullptr) m_.listen = {":53"};
        zones();
        for (const FolderFile& file : files_)
            if (!is_technitium_file(file.name))
                note(file.name + " is not read: it is not an export of Technitium");
        return std::move(m_);
    }

  private:
    void note(std::string text) { m_.notes.push_back({"", std::move(text)}); }

    [[nodiscard]] std::string_view text_of(std::string_view name) const {
        const auto at = std::ranges::find(files_, name, &FolderFile::name);
        return at == files_.end() ? std::string_view{} : std::string_view{at->text};
    }

    // ---- settings

    [[nodiscard]] const json::value* find(std::string_view key) const {
        return settings_ == nullptr ? nullptr : settings_->if_contains(key);
    }
    [[nodiscard]] std::string text(std::string_view key) const {
        const json::value* const at = find(key);
        return at != nullptr && at->is_string() ? std::string(at->get_string()) : std::string();
    }
    [[nodiscard]] bool on(std::string_view key) const {
        const json::value* const at = find(key);
        return at != nullptr && at->is_bool() && at->get_bool();
    }
    [[nodiscard]] std::optional<std::uint64_t> number(std::string_view key) const {
        return number_in(find(key));
    }
    static std::optional<std::uint64_t> number_in(const json::value* at) {
        if (at == nullptr || !at->is_int64() || at->get_int64() < 0) return std::nullopt;
        return static_cast<std::uint64_t>(at->get_int64());
    }
    static std::vector<std::string> texts_in(const json::value* at) {
        std::vector<std::string> out;
        if (at == nullptr || !at->is_array()) return out;
        for (const json::value& item : at->get_array()) {
            if (item.is_string()) out.emplace_back(item.get_string());
            if (item.is_object() && item.get_object().contains("url") &&
                item.get_object().at("url").is_string())
                out.emplace_back(item.get_object().at("url").get_string());
        }
        return out;
    }
    [[nodiscard]] std::vector<std::string> texts(std::string_view key) const {
        return texts_in(find(key));
    }

    void check_settings() {
        constexpr std::array<std::string_view, 46> kRead{"dnsServerLocalEndPoints",
                                                         "ipv6Mode",
                                                         "eDnsClientSubnet",
                                                         "eDnsClientSubnetIPv4PrefixLength",
                                                         "eDnsClientSubnetIPv6PrefixLength",
                                                         "eDnsClientSubnetIpv4Override",
                                                         "eDnsClientSubnetIpv6Override",
                                                         "qpmPrefixLimitsIPv4",
                                                         "enableEDnsClientSubnetSourceAddress",
                                                         "enableDnsOverTls",
                                                         "enableDnsOverHttps",
                                                         "enableDnsOverHttp3",
                                                         "enableDnsOverQuic",
                                                         "dnsOverTlsPort",
                                                         "dnsOverHttpsPort",
                                                         "dnsOverQuicPort",
                                                         "dnsTlsCertificatePath",
                                                         "recursion",
                                                         "recursionNetworkACL",
                                                         "serveStale",
                                                         "serveStaleTtl",
                                                         "cacheMaximumEntries",
                                                         "cacheMinimumRecordTtl",
                                                         "cacheMaximumRecordTtl",
                                                         "cacheNegativeRecordTtl",
                                                         "cacheFailureRecordTtl",
                                                         "enableBlocking",
                                                         "blockingBypassList",
                                                         "blockingType",
                                                         "blockingAnswerTtl",
                                                         "customBlockingAddresses",
                                                         "blockListUrls",
                                                         "forwarders",
                                                         "forwarderProtocol",
                                                         "concurrentForwarding",
                                                         "forwarderTimeout"};
        if (settings_ == nullptr) return;
        for (const auto& [name, value] : *settings_) {
            const std::string key(name);
            const auto at = std::ranges::find(kTechnitiumNotes, key, &TechnitiumNote::key);
            const bool default_source =
                key.starts_with("dnsServerIPv") &&
                (json::serialize(value) == "[\"0.0.0.0\"]" || json::serialize(value) == "[\"::\"]");
            if (at != std::end(kTechnitiumNotes)) {
                if (is_json_on(value) && !default_source)
                    note(key + " is not imported: " + std::string(at->text));
            } else if (key.starts_with("webService") ||
                       std::ranges::find(kNothing, key) != std::end(kNothing)) {
                continue;
            } else if (std::ranges::find(kRead, key) == kRead.end()) {
                note(in_quotes(key) + " is not imported: it is not a known setting");
            }
        }
    }

    // ---- servers

    // Addresses of this server with another port.
    std::vector<std::string> addresses_at(std::uint64_t port) {
        std::vector<std::string> out;
        for (const std::string& end : texts("dnsServerLocalEndPoints")) {
            const auto colon = end.rfind(':');
            std::string host = end.substr(0, colon);
            if (host.starts_with('[') && host.ends_with(']'))
                host = host.substr(1, host.size() - 2);
            const auto own = colon == std::string::npos
                                 ? std::nullopt
                                 : parse_number(std::string_view(end).substr(colon + 1), 65'535);
            if (!own || *own == 0 || (!is_v4(host) && !is_v6(host))) {
                if (port == 0)
                    note("the address " + in_quotes(end) +
                         " of dnsServerLocalEndPoints is not imported: expected ADDRESS:PORT");
                continue;
            }
            const std::uint64_t to = port == 0 ? *own : port;
            const std::string listen =
                host == "0.0.0.0" || host == "::" ? ":" + std::to_string(to) : with_port(host, to);
            if (std::ranges::find(out, listen) == out.end()) out.push_back(listen);
        }
        return out;
    }

    void servers() {
        m_.listen = addresses_at(0);
        if (m_.listen.empty()) m_.listen = {":53"};
        const bool secure =
            on("enableDnsOverTls") || on("enableDnsOverHttps") || on("enableDnsOverQuic");
        if (!secure) return;
        note("the servers over TLS are comments: Technitium's certificate " +
             in_quotes(text("dnsTlsCertificatePath")) +
             " is a PKCS #12 file. Write it and its key as PEM, enter them below, and remove the "
             "comment signs");
        m_.cert = "/etc/steerdns/cert.pem";
        m_.key = "/etc/steerdns/key.pem";
        m_.cert_is_here = is_file_(m_.cert) && is_file_(m_.key);
        m_.http3 = on("enableDnsOverHttp3");
        const auto port = [this](std::string_view key, std::uint64_t standard) {
            const auto value = number(key);
            return value && *value > 0 && *value < 65'536 ? *value : standard;
        };
        if (on("enableDnsOverTls")) m_.listen_tls = addresses_at(port("dnsOverTlsPort", 853));
        if (on("enableDnsOverQuic")) m_.listen_quic = addresses_at(port("dnsOverQuicPort", 853));
        if (on("enableDnsOverHttps")) m_.listen_https = addresses_at(port("dnsOverHttpsPort", 443));
    }

    // ---- upstreams

    // "192.0.2.1", "192.0.2.1:5353", "dns.example (192.0.2.1:853)", "https://dns.example/dns-query".
    std::optional<Upstream> forwarder(const std::string& written) {
        const std::string protocol = lowered(text("forwarderProtocol"));
        std::string server(trimmed(written));
        std::string address;
        if (const auto open = server.find('(');
            open != std::string::npos && server.ends_with(')')) {
            address = trimmed(std::string_view(server).substr(open + 1, server.size() - open - 2));
            server = trimmed(std::string_view(server).substr(0, open));
        }
        const std::map<std::string, std::string> schemes{
            {"udp", ""},           {"tcp", "tcp://"},         {"tls", "tls://"},
            {"https", "https://"}, {"httpsjson", "https://"}, {"quic", "quic://"}};
        const auto scheme = schemes.find(protocol.empty() ? "udp" : protocol);
        Upstream out;
        out.addr = server;
        if (scheme == schemes.end()) {
            note("the forwarder " + in_quotes(written) + " is not imported: its protocol " +
                 in_quotes(protocol) + " is not known");
            return std::nullopt;
        }
        if (server.find("://") == std::string::npos)
            out.addr = scheme->second +
                       (is_v6(server) && !scheme->second.empty() ? "[" + server + "]" : server);
        const auto colons = out.addr.find("://");
        const std::string used = colons == std::string::npos ? "udp" : out.addr.substr(0, colons);
        const std::string url = colons == std::string::npos
                                    ? "udp://" + (is_v6(server) ? "[" + server + "]" : server)
                                    : out.addr;
        const std::string host = host_of_url(used, url);
        constexpr std::array<std::string_view, 6> kKnown{"udp",   "tcp", "tls",
                                                         "https", "h3",  "quic"};
        if (host.empty() || std::ranges::find(kKnown, used) == kKnown.end() ||
            ((is_v4(host) || is_v6(host)) && !can_be_asked(host))) {
            note("the forwarder " + in_quotes(written) +
                 " is not imported: expected an address, or a name or URL");
            return std::nullopt;
        }
        if (!address.empty()) {
            const std::string dial =
                host_of_url("udp", "udp://" + (is_v6(address) ? "[" + address + "]" : address));
            if ((is_v4(dial) || is_v6(dial)) && can_be_asked(dial)) out.dial_addr = address;
        }
        if (const auto ms = number("forwarderTimeout");
            ms && *ms != 2000 && *ms >= 50 && *ms <= 60'000)
            out.timeout = duration_text(*ms);
        return out;
    }

    void upstreams() {
        for (const std::string& one : texts("forwarders"))
            if (auto made = forwarder(one))
                m_.servers.forward.upstreams.push_back(*std::move(made));
        const std::size_t count = std::min<std::size_t>(m_.servers.forward.upstreams.size(), 32);
        if (on("concurrentForwarding") && count > 1)
            m_.servers.forward.concurrent = std::to_string(std::min<std::size_t>(count, 2));
        if (settings_ != nullptr && m_.servers.forward.upstreams.empty())
            note(
                "Technitium resolves names by itself: the DNS servers of this host are used below; "
                "write a 'recursion' instead (docs/guides/recursion.md)");
        const std::string recursion = lowered(text("recursion"));
        if (recursion == "allow") m_.allow = {"0.0.0.0/0", "::/0"};
        if (recursion == "deny")
            note("recursion Deny is not imported: clients of private networks are served");
        if (recursion == "usespecifiednetworkacl") {
            for (const std::string& one : texts("recursionNetworkACL")) {
                if (const std::string prefix = client_prefix(one); !prefix.empty())
                    m_.allow.push_back(prefix);
                else
                    note("the network " + in_quotes(one) +
                         " of recursionNetworkACL is not imported: expected a prefix that is "
                         "allowed");
            }
        }
        if (lowered(text("ipv6Mode")) == "disabled")
            note(
                "ipv6Mode Disabled is not imported: upstreams are asked over IPv6, too, where the "
                "host has it");
        if (on("eDnsClientSubnet")) {
            const std::string fixed = text("eDnsClientSubnetIpv4Override");
            m_.subnet_preset = client_prefix(fixed).empty() ? "send" : fixed;
        }
    }

    // Queries a minute of the narrowest prefix.
    void limits() {
        const json::value* const rows = find("qpmPrefixLimitsIPv4");
        if (rows == nullptr || !rows->is_array()) return;
        std::optional<std::pair<std::uint64_t, std::uint64_t>> best;
        for (const json::value& row : rows->get_array()) {
            if (!row.is_object()) continue;
            const auto prefix = number_in(row.get_object().if_contains("prefix"));
            const auto limit = number_in(row.get_object().if_contains("udpLimit"));
            if (prefix && limit && *prefix <= 32 && *limit > 0 && (!best || *prefix > best->first))
                best = {*prefix, *limit};
        }
        if (!best) return;
        m_.limit_rate = std::to_string(std::clamp<std::uint64_t>(best->second / 60, 1, 1'000'000));
        m_.limit_burst = std::to_string(std::min<std::uint64_t>(best->second, 1'000'000));
        m_.limit_prefix4 = std::to_string(best->first);
        if (rows->get_array().size() > 1)
            note("qpmPrefixLimitsIPv4 is imported for /" + m_.limit_prefix4 +
                 " only, and IPv6 clients have the same rate: write further rows of 'limits'");
        for (const std::string& one : texts("qpmLimitBypassList"))
            if (const std::string prefix = client_prefix(one); !prefix.empty())
                m_.limit_except.push_back(prefix);
    }

    void cache() {
        if (const auto entries = number("cacheMaximumEntries"))
            m_.cache_size = *entries == 0
                                ? "64MiB"
                                : std::to_string(std::min<std::uint64_t>(*entries, 100'000'000));
        const auto seconds = [this](std::string_view key, std::string_view ours,
                                    std::uint64_t most) {
            if (const auto value = number(key); value && *value > 0)
                m_.cache_keys.emplace_back(ours, duration_text(std::min(*value, most) * 1000));
        };
        seconds("cacheMinimumRecordTtl", "cache_min_ttl", 86'400);
        seconds("cacheMaximumRecordTtl", "cache_max_ttl", 604'800);
        seconds("cacheNegativeRecordTtl", "max_negative_ttl", 86'400);
        seconds("cacheFailureRecordTtl", "failure_ttl", 300);
        if (on("serveStale")) seconds("serveStaleTtl", "serve_stale", 604'800);
    }

    // ---- lists

    void add_list(const std::string& url, BlockSet& to) {
        const bool allows = url.starts_with('!');
        const std::string plain = allows ? url.substr(1) : url;
        if (host_of_url("https", plain).empty() && host_of_url("http", plain).empty())
            return note("the list " + in_quotes(url) +
                        " is not imported: expected an http:// or https:// URL");
        (allows ? to.allow_lists : to.lists).push_back(plain);
    }

    // A zone blocks or allows its name with all below.
    void add_zone(const std::string& name, const std::string& from, BlockSet& to, bool allows) {
        const std::string_view plain = name.ends_with('.')
                                           ? std::string_view(name).substr(0, name.size() - 1)
                                           : std::string_view(name);
        const std::string rule =
            "||" + std::string(plain.starts_with("*.") ? plain.substr(2) : plain) + "^";
        if (const std::string why = filter_pattern_error(rule); !why.empty() || plain.empty())
            return note("the zone " + in_quotes(name) + " of " + from +
                        " is not imported: " + (why.empty() ? "it is empty" : why));
        if (allows) to.allow.push_back(rule);
        to.block.push_back((allows ? "@@" : "") + rule);
    }
    void add_expression(const std::string& expression, BlockSet& to, bool allows) {
        const std::string rule = "/" + expression + "/";
        const FilterRule read = read_filter_rule(rule);
        if (read.kind != FilterRule::Kind::block)
            return note("the expression " + in_quotes(expression) +
                        " is not imported: " + (read.why.empty() ? "it is empty" : read.why));
        if (allows) to.allow.push_back(rule);
        to.block.push_back((allows ? "@@" : "") + rule);
    }
    static void finish(BlockSet& set) {
        if (std::ranges::all_of(set.block,
                                [](const std::string& one) { return one.starts_with("@@"); }))
            set.block.clear();
    }

    void zone_list(std::string_view file, bool allows) {
        for (const std::string& line : split(text_of(file), '\n'))
            if (!line.starts_with('#'))
                add_zone(to_utf8(line), std::string(file), m_.everyone, allows);
    }

    void blocking() {
        const json::value* const enabled = find("enableBlocking");
        if (enabled != nullptr && !on("enableBlocking")) {
            note(
                "enableBlocking is false: no list is written for everyone. Turn it on and import "
                "again to get the lists");
            return;
        }
        for (const std::string& url : texts("blockListUrls"))
            add_list(url, m_.everyone);
        zone_list(kAllowedFile, true);
        zone_list(kBlockedFile, false);
        finish(m_.everyone);
        const std::string type = lowered(text("blockingType"));
        if (type == "nxdomain") m_.answer = "nxdomain";
        if (type == "customaddress") {
            std::vector<std::string> ips;
            for (const std::string& ip : texts("customBlockingAddresses"))
                if (is_v4(ip) || is_v6(ip)) ips.push_back(ip);
            if (!ips.empty()) m_.answer = "custom " + join(ips, " ");
        }
        ClientGroup bypass;
        for (const std::string& one : texts("blockingBypassList")) {
            if (std::string prefix = client_prefix(one); !prefix.empty())
                bypass.prefixes.push_back(std::move(prefix));
            else
                note("the client " + in_quotes(one) +
                     " of blockingBypassList is not imported: expected an address or a prefix");
        }
        if (bypass.prefixes.empty()) return;
        bypass.tag = "bypass_list";
        bypass.name = "Clients of blockingBypassList.";
        m_.groups.push_back(std::move(bypass));
    }

    // ---- the app Advanced Blocking

    void app() {
        const std::string_view file = text_of(kAppFile);
        if (file.empty()) return;
        boost::system::error_code error;
        const json::value parsed = json::parse(to_utf8(file), error);
        const json::object* const app = error ? nullptr : parsed.if_object();
        const json::value* const networks =
            app == nullptr ? nullptr : app->if_contains("networkGroupMap");
        const json::value* const groups = app == nullptr ? nullptr : app->if_contains("groups");
        if (networks == nullptr || groups == nullptr || !networks->is_object() ||
            !groups->is_array())
            return note(
                "dnsApp.config is not imported: expected the configuration of Advanced Blocking, "
                "with 'networkGroupMap' and 'groups'");
        if (const json::value* const on_ = app->if_contains("enableBlocking");
            on_ != nullptr && !is_json_on(*on_))
            return;
        if (const json::value* const ends = app->if_contains("localEndPointGroupMap");
            ends != nullptr && is_json_on(*ends) && ends->is_object() &&
            !ends->get_object().empty())
            note(
                "localEndPointGroupMap of dnsApp.config is not imported: groups are chosen by the "
                "client's address");
        std::map<std::string, ClientGroup> made;
        for (const auto& [network, group] : networks->get_object()) {
            std::string prefix(network);
            if (const auto close = prefix.find(']');
                prefix.starts_with('[') && close != std::string::npos)
                prefix = prefix.substr(1, close - 1) + prefix.substr(close + 1);
            if (client_prefix(prefix).empty() || !group.is_string()) {
                note("the network " + in_quotes(prefix) +
                     " of dnsApp.config is not imported: expected an address or a prefix, and a "
                     "group");
                continue;
            }
            made[std::string(group.get_string())].prefixes.push_back(prefix);
        }
        std::set<std::string> tags{"bypass_list", "main", "any", "second"};
        for (const json::value& group : groups->get_array()) {
            if (!group.is_object()) continue;
            const json::object& row = group.get_object();
            const json::value* const name = row.if_contains("name");
            if (name == nullptr || !name->is_string()) continue;
            const auto at = made.find(std::string(name->get_string()));
            if (at == made.end()) continue;
            ClientGroup one = std::move(at->second);
            made.erase(at);
            one.name = "Group " + in_quotes(std::string_view(name->get_string())) +
                       " of Advanced Blocking.";
            const std::string tag = group_tag(std::string_view(name->get_string()));
            one.tag = tag;
            for (int i = 2; !tags.insert(one.tag).second; ++i)
                one.tag = tag + "_" + std::to_string(i);
            if (const json::value* const enabled = row.if_contains("enableBlocking");
                enabled == nullptr || is_json_on(*enabled))
                fill_group(row, one.set);
            m_.groups.push_back(std::move(one));
        }
        for (const auto& [name, group] : made)
            note("the group " + in_quotes(name) +
                 " of dnsApp.config is not imported: it is not defined");
    }

    void fill_group(const json::object& row, BlockSet& set) {
        const auto all = [&row](std::string_view key) { return texts_in(row.if_contains(key)); };
        for (const std::string& one : all("allowed"))
            add_zone(one, "dnsApp.config", set, true);
        for (const std::string& one : all("blocked"))
            add_zone(one, "dnsApp.config", set, false);
        for (const std::string& one : all("allowedRegex"))
            add_expression(one, set, true);
        for (const std::string& one : all("blockedRegex"))
            add_expression(one, set, false);
        for (const std::string& one : all("allowListUrls"))
            add_list("!" + one, set);
        for (const std::string_view key : {"blockListUrls", "adblockListUrls"})
            for (const std::string& one : all(key))
                add_list(one, set);
        for (const std::string_view key : {"regexAllowListUrls", "regexBlockListUrls"})
            if (!all(key).empty())
                note(std::string(key) +
                     " of dnsApp.config are not imported: write lists of expressions as 'files' of "
                     "a 'domain_set'");
        finish(set);
    }

    // ---- zones

    void zones() {
        for (const FolderFile& file : files_) {
            if (!file.name.ends_with(".zone")) continue;
            const std::string name = plain_name(file.name.substr(0, file.name.size() - 5));
            if (const std::string why = name_error(name); !why.empty()) {
                note("the zone " + in_quotes(file.name) + " is not imported: its name " + why);
                continue;
            }
            m_.zone_files.push_back({name, file.absolute});
            note("the zone " + name +
                 " stays in its file; aliases (CNAME) answer queries for CNAME only, and wildcards "
                 "and delegations have no effect");
        }
        std::ranges::stable_sort(m_.zone_files, std::greater(),
                                 [](const auto& zone) { return label_count(zone.first); });
    }

    const std::vector<FolderFile>& files_;
    const std::function<bool(const std::string&)>& is_file_;
    BlockerModel m_;
    json::value parsed_;
    const json::object* settings_ = nullptr;
};

}  // namespace

bool is_technitium_file(std::string_view name) {
    return name == kSettingsFile || name == kAllowedFile || name == kBlockedFile ||
           name == kAppFile || name.ends_with(".zone");
}

Imported import_technitium(const std::vector<FolderFile>& files, std::string_view source,
                           const std::function<bool(const std::string&)>& is_file) {
    if (std::ranges::none_of(files,
                             [](const FolderFile& file) { return is_technitium_file(file.name); }))
        return {{},
                {},
                Failure{0,
                        "has no export of Technitium: expected settings.json, AllowedZones.txt, "
                        "BlockedZones.txt, dnsApp.config or NAME.zone"}};
    TechnitiumImport made(files, is_file);
    BlockerModel model = made.read();
    if (made.failure) return {{}, {}, std::move(made.failure)};
    return write_blocker(std::move(model), "technitium", source);
}

}  // namespace steer::importing
