#include "matchers/rules_for_all.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include "matchers/name_text.h"
#include "matchers/pattern/literal.h"

namespace steer::matchers {
namespace {

constexpr std::size_t kLongest = 64;      // a regexp for all names is short
constexpr std::size_t kMaxTried = 2'048;  // of one list
// Host names: without '_', which an expression for host names leaves out. Names of a group have no letter, digit, sign,
// length, number of labels or last label in common.
constexpr std::size_t kOfGroup = 30;
using Group = std::array<std::string_view, kOfGroup>;
constexpr std::array<Group, 3> kGroups{{
    // That people visit.
    {"www.google.com",
     "mail.yahoo.co.jp",
     "en.wikipedia.org",
     "github.com",
     "web.whatsapp.com",
     "www.bbc.co.uk",
     "news.ycombinator.com",
     "api.telegram.org",
     "www.youtube.com",
     "cdn.jsdelivr.net",
     "login.microsoftonline.com",
     "apple.com",
     "store.steampowered.com",
     "ubuntu.com",
     "www.reddit.com",
     "shop.example",
     "time.cloudflare.com",
     "play.spotify.com",
     "deb.debian.org",
     "www.heise.de",
     "spiegel.de",
     "vk.ru",
     "ya.ru",
     "www.qq.com",
     "weibo.cn",
     "www.gov.pl",
     "seznam.cz",
     "tv.nrk.no",
     "x.com",
     "t.co"},
    // Of servers and devices.
    {"r3---sn-4g5e6nzs.googlevideo.com",
     "d1a2b3c4.cloudfront.net",
     "ec2-3-120-7-44.eu-central-1.compute.amazonaws.com",
     "a1.w10.akamai.net",
     "e6858.dsce9.akamaiedge.net",
     "1drv.ms",
     "ns1.p16.dynect.net",
     "3.pool.ntp.org",
     "s3-us-west-2.amazonaws.com",
     "ip-10-0-0-7.corp.lan",
     "host42.corp.example",
     "node-7.k8s.internal",
     "printer.home.arpa",
     "android.pool.ntp.org",
     "i9.ytimg.com",
     "163.com",
     "a.4cdn.org",
     "i.imgur.com",
     "fra16s50-in-f14.1e100.net",
     "ipv6.testing.net",
     "xn--bcher-kva.example",
     "static-7f3a9c.b-cdn.net",
     "edge-star-mini.c10r.facebook.com",
     "lb-140-82-121-4-fra.github.com",
     "gateway.fe2.apple-dns.net",
     "p54-buy.itunes-apple.com.akadns.net",
     "vps-1f2e3d.vps.ovh.net",
     "nas.local",
     "router.lan",
     "q7a.io"},
    // Of random labels.
    {"x7-q.zz.example",
     "9.test-k.org",
     "kfj3.pm",
     "a1.b2.c3.d4.net",
     "yuwu.hm",
     "qlmzkxwpvntbd.top",
     "zq4n8s0v1kfy.site",
     "gj.kvr.info",
     "m-0-x.biz",
     "uo.ae",
     "averylongnamewithoutadotinside.online",
     "b.c.d.e.f.club",
     "p0.q.us",
     "wqx.tk",
     "hh-hh.xyz",
     "3f9ac17e-55b0-4e0c-9d1e-0a7be.dev",
     "lkjhgf.shop",
     "aeiou.eu",
     "nnn.cloud",
     "vbnt.io",
     "ydwr.me",
     "k.kk.kkk.kkkk.app",
     "zx81.w.net",
     "rhythm.co",
     "ttt.ga",
     "fjord.no",
     "sphynx.in",
     "tq-9y.life",
     "jbl.ca",
     "wv.ai"},
}};

// Adds those of `some` (indexes of regexps) that match nearly all names of each group. False: one of them cannot be
// compiled.
bool add_covering(std::span<const Rule* const> rules, std::span<const std::size_t> some,
                  std::vector<std::size_t>& out) {
    NameMatcherBuilder builder;
    for (std::size_t i = 0; i < some.size(); ++i)
        builder.add(static_cast<SetId>(i), *rules[some[i]]);
    std::vector<Error> errors, warnings;
    const auto image = builder.build(errors, warnings);
    NameMatcher::Scratch scratch;
    if (image == nullptr || !image->prepare(scratch)) return false;
    std::vector<bool> covers(some.size(), true);
    for (const Group& group : kGroups) {
        std::vector<std::size_t> hits(some.size());
        for (const std::string_view name : group) {
            const std::string wire = wire_of_name(name) + '\0';
            const TagBits found = image->match(
                {reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size()}, scratch);
            for (std::size_t i = 0; i < some.size(); ++i)
                if (found.test(static_cast<SetId>(i))) ++hits[i];
        }
        for (std::size_t i = 0; i < some.size(); ++i)
            covers[i] = covers[i] && hits[i] * 10 >= group.size() * 9;
    }
    for (std::size_t i = 0; i < some.size(); ++i) {
        if (covers[i]) out.push_back(some[i]);
    }
    return true;
}

}  // namespace

std::vector<std::size_t> rules_for_all(std::span<const Rule* const> rules) {
    std::vector<std::size_t> unsure;
    for (std::size_t i = 0; i < rules.size() && unsure.size() < kMaxTried; ++i) {
        const Rule& rule = *rules[i];
        // A dot is a literal that nearly every name has.
        if (rule.kind == RuleKind::regexp && rule.text.size() <= kLongest &&
            shortest_literal(rule.text) < kUsefulLiteral)
            unsure.push_back(i);
    }
    std::vector<std::size_t> out;
    for (std::size_t at = 0; at < unsure.size(); at += kMaxSets) {
        const std::span some =
            std::span(unsure).subspan(at, std::min(kMaxSets, unsure.size() - at));
        if (add_covering(rules, some, out)) continue;
        for (std::size_t i = 0; i < some.size(); ++i)
            add_covering(rules, some.subspan(i, 1), out);
    }
    return out;
}

}  // namespace steer::matchers
