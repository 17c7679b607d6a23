#include "control/operator/doctor/advertisement.h"

#include <algorithm>

#include "control/operator/doctor/checks.h"

namespace steer::doctor {
namespace {

constexpr std::size_t kHeader = 16, kOptionUnit = 8;
constexpr std::uint8_t kRdnss = 25, kPref64 = 38;
constexpr std::size_t kMaxServers = 64, kMaxPrefixes = 64, kMaxRouters = 16;

std::uint32_t number(std::span<const std::uint8_t> bytes) {
    std::uint32_t value = 0;
    for (const std::uint8_t byte : bytes)
        value = value << 8 | byte;
    return value;
}

// RFC 8781 4: 13 bits of lifetime in units of 8 s, 3 bits of prefix length, the first 96 bits of the prefix.
void read_pref64(std::span<const std::uint8_t> option, Advertisement& out) {
    constexpr std::uint8_t kLengths[] = {96, 64, 56, 48, 40, 32};
    constexpr std::size_t kSize = 16, kPrefixAt = 4, kPrefixBytes = 12;
    if (option.size() != kSize || out.nat64.size() >= kMaxPrefixes) return;
    const std::uint32_t both = number(option.subspan(2, 2));
    const std::size_t code = both & 7;
    if (code >= std::size(kLengths)) return;
    Advertisement::Nat64 one;
    one.lifetime_s = both & ~7U;
    one.prefix.length = kLengths[code];
    const std::size_t bytes = std::min<std::size_t>(one.prefix.length / 8U, kPrefixBytes);
    std::copy_n(option.begin() + kPrefixAt, bytes, one.prefix.prefix.begin());
    out.nat64.push_back(one);
}

// RFC 8106 5.1.
void read_servers(std::span<const std::uint8_t> option, Advertisement& out) {
    constexpr std::size_t kServersAt = 8, kAddress = 16;
    if (option.size() < kServersAt + kAddress || (option.size() - kServersAt) % kAddress != 0)
        return;
    const std::uint32_t lifetime_s = number(option.subspan(4, 4));
    for (std::size_t at = kServersAt; at < option.size(); at += kAddress) {
        if (out.servers.size() < kMaxServers)
            out.servers.push_back({IpAddress::from_v6(&option[at]), lifetime_s});
    }
}

std::string text_of(const dns::Pref64& prefix) {
    return IpAddress::from_v6(prefix.prefix.data()).to_string() + "/" +
           std::to_string(prefix.length);
}

std::string seconds(std::uint32_t value) {
    return std::to_string(value) + " s";
}

void append(std::string& list, const std::string& item) {
    list.append(list.empty() ? "" : ", ").append(item);
}

class Judge {
  public:
    Judge(const std::vector<Advertisement>& received, const Announced& wanted, Findings& out)
        : received_(received), wanted_(wanted), out_(out) {}

    void judge() {
        judge_prefixes();
        judge_servers();
        judge_lifetimes();
    }

  private:
    void judge_prefixes();
    void judge_servers();
    void judge_lifetimes();
    void check_lifetime(const std::string& thing, std::uint32_t lifetime_s, const char* why);
    void report(const char* check, std::string what, const char* why, const char* advice) {
        out_.push_back(problem(check, std::move(what), why, advice));
    }
    [[nodiscard]] std::string routers() const {
        std::string all;
        for (const Advertisement& one : received_)
            append(all, one.router.to_string());
        return all;
    }

    const std::vector<Advertisement>& received_;
    const Announced& wanted_;
    Findings& out_;
};

void Judge::judge_prefixes() {
    constexpr const char* kAdvice = "set pref64 of the entry of /ipv6/nd for that interface";
    if (wanted_.nat64.empty()) return;
    bool is_right = false, is_any = false;
    std::string wrong;
    for (const Advertisement& one : received_) {
        for (const auto& announced : one.nat64) {
            const std::string text = text_of(announced.prefix);
            is_any = true;
            if (std::ranges::count(wanted_.nat64, text) > 0)
                is_right = true;
            else
                append(wrong, text);
        }
    }
    if (!is_any)
        report("ra-pref64", "no advertisement of " + routers() + " has a NAT64 prefix (PREF64)",
               "clients cannot start CLAT, and programs with IPv4 addresses fail", kAdvice);
    else if (!wrong.empty() || !is_right)
        report("ra-pref64",
               "the advertisements of " + routers() + " have the NAT64 prefix " + wrong +
                   "; DNS64 uses " + wanted_.nat64.front(),
               "clients with CLAT send packets to a prefix that is not translated", kAdvice);
}

void Judge::judge_servers() {
    constexpr const char* kAdvice =
        "set dns= and advertise-dns=yes of the entry of /ipv6/nd for that interface";
    bool is_any = false;
    std::string wrong;
    for (const Advertisement& one : received_) {
        for (const auto& server : one.servers) {
            is_any = true;
            if (!wanted_.servers.empty() &&
                std::ranges::count(wanted_.servers, server.address) == 0)
                append(wrong, server.address.to_string());
        }
    }
    if (!is_any)
        report("ra-rdnss", "no advertisement of " + routers() + " has a DNS server (RDNSS)",
               "IPv6-only clients resolve no names", kAdvice);
    else if (!wrong.empty())
        report("ra-rdnss",
               "the advertisements of " + routers() + " have the DNS server " + wrong +
                   ", which is neither SteerDNS nor the router",
               "clients that ask it get no translated addresses, and no row is written", kAdvice);
}

// A thing that ends before the next advertisement comes and goes.
void Judge::check_lifetime(const std::string& thing, std::uint32_t lifetime_s, const char* why) {
    if (lifetime_s > 0 && lifetime_s >= wanted_.interval_s) return;
    const std::string less = lifetime_s == 0 ? ""
                                             : ", less than the " + seconds(wanted_.interval_s) +
                                                   " between two advertisements (ra-interval)";
    report("ra-lifetime", thing + " is announced for " + seconds(lifetime_s) + less, why,
           "see ra-lifetime and ra-interval of the entry of /ipv6/nd for that interface");
}

void Judge::judge_lifetimes() {
    std::uint32_t longest_s = 0;
    for (const Advertisement& one : received_)
        longest_s = std::max(longest_s, one.lifetime_s);
    check_lifetime("the default router " + routers(), longest_s,
                   "clients have no way out of their network over IPv6");
    for (const Advertisement& one : received_) {
        for (const auto& announced : one.nat64)
            check_lifetime("the NAT64 prefix " + text_of(announced.prefix), announced.lifetime_s,
                           "clients stop their CLAT, and programs with IPv4 addresses fail");
        for (const auto& server : one.servers)
            check_lifetime("the DNS server " + server.address.to_string(), server.lifetime_s,
                           "IPv6-only clients lose their DNS server");
    }
}

std::string text_of(const Advertisement& one) {
    std::string text = one.router.to_string() + ", " + seconds(one.lifetime_s);
    for (const auto& announced : one.nat64)
        text += "; PREF64 " + text_of(announced.prefix) + ", " + seconds(announced.lifetime_s);
    for (const auto& server : one.servers)
        text += "; RDNSS " + server.address.to_string() + ", " + seconds(server.lifetime_s);
    return text;
}

}  // namespace

std::optional<Advertisement> read_advertisement(std::span<const std::uint8_t> message,
                                                const IpAddress& from) {
    const bool is_one = message.size() >= kHeader && message[0] == kAdvertisement &&
                        message[1] == 0 && from.is_link_local();
    if (!is_one) return std::nullopt;
    Advertisement out;
    out.router = from;
    out.lifetime_s = number(message.subspan(6, 2));
    for (auto rest = message.subspan(kHeader); !rest.empty();) {
        const std::size_t length = rest.size() < 2 ? 0 : rest[1] * kOptionUnit;
        if (length == 0 || length > rest.size()) return std::nullopt;
        const auto option = rest.first(length);
        if (option[0] == kPref64) read_pref64(option, out);
        if (option[0] == kRdnss) read_servers(option, out);
        rest = rest.subspan(length);
    }
    return out;
}

void add(std::vector<Advertisement>& all, Advertisement one) {
    const auto known = std::ranges::find(all, one.router, &Advertisement::router);
    if (known == all.end()) {
        if (all.size() < kMaxRouters) all.push_back(std::move(one));
        return;
    }
    known->lifetime_s = std::max(known->lifetime_s, one.lifetime_s);
    // The last word on each counts.
    for (const auto& announced : one.nat64) {
        std::erase_if(known->nat64, [&](const Advertisement::Nat64& old) {
            return old.prefix.length == announced.prefix.length &&
                   old.prefix.prefix == announced.prefix.prefix;
        });
        if (known->nat64.size() < kMaxPrefixes) known->nat64.push_back(announced);
    }
    for (const auto& server : one.servers) {
        std::erase_if(known->servers, [&](const Advertisement::Server& old) {
            return old.address == server.address;
        });
        if (known->servers.size() < kMaxServers) known->servers.push_back(server);
    }
}

void judge_advertisements(const std::vector<Advertisement>& received, const Announced& wanted,
                          Findings& findings, Steps& steps) {
    Step step{"advertisement", StepEnd::failed, {}};
    if (received.empty()) {
        step.text = "no router advertisement came on " + wanted.interface;
        findings.push_back(problem(
            "ra-none", step.text + " after solicitations",
            "clients get no IPv6 address and no router",
            "check that /ipv6/nd has an enabled entry for the interface, and that no switch or "
            "access point between drops advertisements"));
    } else {
        const std::size_t before = findings.size();
        Judge(received, wanted, findings).judge();
        if (findings.size() == before) step.end = StepEnd::ok;
        for (const Advertisement& one : received)
            step.text.append(step.text.empty() ? "" : " | ").append(text_of(one));
    }
    steps.push_back(std::move(step));
}

}  // namespace steer::doctor
