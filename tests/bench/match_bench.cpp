// A million suffixes and 400 patterns: building them, and ns a name of the image against other ways to do it
// (match_reference.h), by turns on the same names; prefixes by the way. Prints one JSON line.
//
// Names are of two or three labels of syllables, 27 bytes in the mean, all different; half of them are under a rule, one
// of kUnderPattern under a pattern.
// Hyperscan for everything takes minutes to compile a million rules, so that it gets `--hyperscan` of them: with more it
// is only slower.
#include <time.h>

#include <array>
#include <boost/json.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "match_reference.h"
#include "matchers/image_store.h"
#include "matchers/list/rule_list.h"
#include "matchers/name_matcher.h"
#include "matchers/prefix/prefix_set.h"

namespace {

using namespace steer;

// Time that this thread had the CPU.
struct Clock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<Clock>;
    static time_point now() noexcept {
        timespec t{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
        return time_point(std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec));
    }
};

struct Options {
    std::size_t rules = 1'000'000, patterns = 400, names = 1'000'000, hyperscan = 5'000,
                prefixes = 500'000;
    int rounds = 5;
    bool only_ours = false;  // one pass, for callgrind
};

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

// Time that all threads together had the CPU.
class Stopwatch {
  public:
    [[nodiscard]] double seconds() const { return now() - start_; }

  private:
    static double now() {
        timespec t{};
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
    }
    double start_ = now();
};

// Images in memory, to measure what taking a finished one costs.
class MemoryStore : public matchers::ImageStore {
  public:
    std::optional<matchers::Arena> load(const std::string& name) override {
        const std::scoped_lock lock(mutex_);
        const auto at = kept_.find(name);
        if (at == kept_.end()) return std::nullopt;
        matchers::Arena out(at->second.size());
        std::memcpy(out.data(), at->second.data(), at->second.size());
        return out;
    }
    void keep(const std::string& name, std::span<const std::uint8_t> bytes) override {
        const std::scoped_lock lock(mutex_);
        kept_[name].assign(bytes.begin(), bytes.end());
    }

  private:
    std::mutex mutex_;
    std::map<std::string, std::vector<std::uint8_t>> kept_;
};

class Words {
  public:
    explicit Words(unsigned seed) : random_(seed) {}

    std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(random_() % n); }
    std::string syllables(unsigned count) {
        static constexpr std::string_view kFirst[] = {"b", "c",  "d",  "f",  "g",  "h", "k",
                                                      "l", "m",  "n",  "p",  "r",  "s", "t",
                                                      "v", "st", "tr", "ch", "sh", "w"};
        static constexpr std::string_view kRest[] = {"a",  "e",  "i",  "o",  "u",  "an",
                                                     "er", "in", "on", "ar", "es", "al"};
        std::string out;
        for (; count > 0; --count) {
            out += kFirst[below(std::size(kFirst))];
            out += kRest[below(std::size(kRest))];
        }
        return out;
    }
    // A registered name: what rules are about.
    std::string site() {
        static constexpr std::string_view kTop[] = {"com", "net", "org", "example", "co.example"};
        std::string out = syllables(3 + below(4));
        if (below(4) == 0) out += std::to_string(below(1000));
        return out + "." + std::string(kTop[below(std::size(kTop))]);
    }
    std::string host() {
        static constexpr std::string_view kUsual[] = {"www", "api", "cdn", "static", "m"};
        return below(2) == 0 ? std::string(kUsual[below(std::size(kUsual))])
                             : syllables(2 + below(2)) + std::to_string(below(100));
    }

  private:
    std::mt19937 random_;
};

struct Scene {
    std::vector<std::pair<matchers::SetId, matchers::Rule>> rules, patterns;
    std::vector<std::vector<std::uint8_t>> names;
};

constexpr std::size_t kUnderPattern = 16;  // one of so many names is under a pattern

// The forms of regexps; `%` is a literal of its own each.
constexpr const char* kForms[] = {"^%[0-9]+\\.", "(^|\\.)%[0-9a-z]{2,}\\.(com|net)$",
                                  "^(www|api)[0-9]*\\.%", "%[-.][a-z]+\\.org$"};

struct Literal {
    std::string text;
    std::optional<std::size_t> form;  // no value: a keyword
};

// A name that the pattern matches.
std::string under_pattern(Words& words, const Literal& literal) {
    const std::string& text = literal.text;
    if (!literal.form) return words.host() + text + "." + words.site();
    const std::string number = std::to_string(words.below(100));
    switch (*literal.form) {
        case 0:
            return text + number + "." + words.site();
        case 1:
            return words.host() + "." + text + "x" + number + ".com";
        case 2:
            return "www" + number + "." + text + ".example";
        default:
            return words.host() + text + "-" + words.syllables(2) + ".org";
    }
}

Scene scene_of(const Options& options) {
    using matchers::RuleKind;
    constexpr matchers::SetId kSets = 8;
    std::vector<Literal> literals;
    Words words(1);
    Scene scene;
    scene.rules.reserve(options.rules);
    for (std::size_t i = 0; i < options.rules; ++i) {
        scene.rules.emplace_back(static_cast<matchers::SetId>(i % kSets),
                                 matchers::Rule{RuleKind::domain, words.site()});
    }
    for (std::size_t i = 0; i < options.patterns; ++i) {
        const auto set = static_cast<matchers::SetId>(kSets + i % 2);
        const std::string literal = words.syllables(3);
        if (i % 2 == 0) {
            scene.patterns.emplace_back(set, matchers::Rule{RuleKind::keyword, literal});
            literals.push_back({literal, std::nullopt});
            continue;
        }
        const std::size_t form = i / 2 % std::size(kForms);
        literals.push_back({literal, form});
        std::string text = kForms[form];
        text.replace(text.find('%'), 1, literal);
        scene.patterns.emplace_back(set, matchers::Rule{RuleKind::regexp, text});
    }
    Words others(2);
    for (std::size_t i = 0; i < options.names; ++i) {
        if (i % kUnderPattern == 1 && !literals.empty()) {
            scene.names.push_back(bench::wire_of(under_pattern(
                others, literals[others.below(static_cast<std::uint32_t>(literals.size()))])));
            continue;
        }
        const std::string site =
            i % 2 == 0 ? scene.rules[words.below(static_cast<std::uint32_t>(scene.rules.size()))]
                             .second.text
                       : others.site();
        scene.names.push_back(bench::wire_of(others.host() + "." + site));
    }
    std::shuffle(scene.names.begin(), scene.names.end(), std::mt19937(3));
    return scene;
}

// Names one after the other in memory, as a burst's are.
struct Packed {
    explicit Packed(const std::vector<std::vector<std::uint8_t>>& names) {
        for (const auto& name : names) {
            starts.push_back(static_cast<std::uint32_t>(bytes.size()));
            bytes.insert(bytes.end(), name.begin(), name.end());
        }
        starts.push_back(static_cast<std::uint32_t>(bytes.size()));
    }
    [[nodiscard]] std::span<const std::uint8_t> at(std::size_t i) const {
        return std::span(bytes).subspan(starts[i], starts[i + 1] - starts[i]);
    }
    [[nodiscard]] std::size_t size() const { return starts.size() - 1; }
    std::vector<std::uint8_t> bytes;
    std::vector<std::uint32_t> starts;
};

template <class Match>
double ns_a_name(const Packed& names, std::size_t count, std::uint64_t& sum, Match match) {
    const auto start = Clock::now();
    for (std::size_t i = 0; i < count; ++i)
        sum += match(names.at(i)).words[0];
    return seconds_since(start) * 1e9 / static_cast<double>(count);
}

// The same for bursts of names, as a worker matches them.
template <class Match>
double ns_of_bursts(const Packed& names, std::uint64_t& sum, Match match) {
    std::array<matchers::WireName, matchers::kMaxNames> burst;
    std::array<matchers::TagBits, matchers::kMaxNames> tags;
    const auto start = Clock::now();
    for (std::size_t at = 0; at < names.size(); at += burst.size()) {
        const std::size_t n = std::min(burst.size(), names.size() - at);
        for (std::size_t i = 0; i < n; ++i)
            burst[i] = names.at(at + i);
        match({burst.data(), n}, {tags.data(), n});
        for (std::size_t i = 0; i < n; ++i)
            sum += tags[i].words[0];
    }
    return seconds_since(start) * 1e9 / static_cast<double>(names.size());
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

double rounded(double value) {
    return std::round(value * 10) / 10;
}

[[noreturn]] void fail(const std::string& what) {
    std::fprintf(stderr, "bench_match: %s\n", what.c_str());
    std::exit(1);
}

// The same rules as a file's text and back.
double parse_seconds(const Scene& scene) {
    std::string text;
    for (const auto& [set, rule] : scene.rules)
        text += "domain:" + rule.text + "\n";
    const auto start = Clock::now();
    const auto list = matchers::read_rules(text, "list", matchers::RuleKind::domain);
    const double took = seconds_since(start);
    if (list.rules.size() != scene.rules.size()) fail("the list did not come back");
    return took;
}

struct PrefixFigures {
    double v4_ns = 0, v6_ns = 0, build_s = 0;
};

PrefixFigures measure_prefixes(const Options& options) {
    std::mt19937_64 random(4);
    std::vector<matchers::Prefix> prefixes;
    std::vector<IpAddress> v4, v6;
    const auto number = [&](bool is_v4) {
        std::array<std::uint8_t, 16> bytes{};
        const std::uint64_t a = random(), b = random();
        std::memcpy(bytes.data(), &a, 8);
        std::memcpy(bytes.data() + 8, &b, 8);
        if (is_v4) return IpAddress::from_v4(bytes.data());
        bytes[0] = 0x20 | (bytes[0] & 0x0f);
        return IpAddress::from_v6(bytes.data());
    };
    // As a routing table has them: most are /24 and /48, some are shorter.
    for (std::size_t i = 0; i < options.prefixes; ++i) {
        const bool is_v4 = i % 4 != 0;
        const unsigned less = random() % 2 == 0 ? 0 : static_cast<unsigned>(random() % 5);
        prefixes.push_back({number(is_v4), static_cast<std::uint8_t>((is_v4 ? 120 : 48) - less)});
        for (unsigned bit = prefixes.back().length; bit < 128; ++bit) {
            prefixes.back().address.bytes[bit / 8] &=
                static_cast<std::uint8_t>(~(0x80U >> (bit % 8)));
        }
    }
    for (int i = 0; i < 200'000; ++i) {
        const auto& near = prefixes[random() % prefixes.size()].address;
        (near.is_v4() ? v4 : v6).push_back(near);
        v4.push_back(number(true));
        v6.push_back(number(false));
    }
    std::ranges::shuffle(v4, random);
    std::ranges::shuffle(v6, random);
    PrefixFigures out;
    const auto start = Clock::now();
    const matchers::PrefixSet set(prefixes);
    out.build_s = seconds_since(start);
    const auto measure = [&](const std::vector<IpAddress>& addresses) {
        std::vector<double> ns;
        std::size_t held = 0;
        for (int round = 0; round < options.rounds; ++round) {
            const auto begin = Clock::now();
            for (const IpAddress& address : addresses)
                held += set.contains(address);
            ns.push_back(seconds_since(begin) * 1e9 / static_cast<double>(addresses.size()));
        }
        if (held == 0) fail("no address is in the set");
        return median(ns);
    };
    out.v4_ns = measure(v4);
    out.v6_ns = measure(v6);
    return out;
}

struct Ours {
    std::unique_ptr<matchers::NameMatcher> image;
    matchers::NameMatcher::Scratch scratch;
    double build_s = 0;
};

// Writes to more memory than the loads take, and gives it back. A hypervisor then has it ready: to
// find as much as an image takes up to 100 ms of the guest's CPU time.
void make_memory_ready() {
    constexpr std::size_t kPage = 4096, kBytes = std::size_t{1} << 30;
    matchers::Arena memory(kBytes);
    for (std::size_t at = 0; at < kBytes; at += kPage)
        static_cast<volatile std::uint8_t*>(memory.data())[at] = 1;
}

constexpr int kLoads = 5;

Ours build_ours(const Scene& scene, bool with_patterns, matchers::ImageStore* store = nullptr) {
    Ours out;
    matchers::NameMatcherBuilder builder;
    for (const auto& [set, rule] : scene.rules)
        builder.add(set, rule);
    if (with_patterns) {
        for (const auto& [set, rule] : scene.patterns)
            builder.add(set, rule);
    }
    std::vector<Error> errors, warnings;
    const Stopwatch watch;
    out.image = builder.build(errors, warnings, store);
    out.build_s = watch.seconds();
    if (out.image == nullptr) fail(errors.front().text);
    if (!out.image->prepare(out.scratch)) fail("no scratch");
    return out;
}

void run(const Options& options) {
    const Scene scene = scene_of(options);
    const Packed names(scene.names);
    std::uint64_t sum = 0;
    Ours ours = build_ours(scene, true);
    const auto by_ours = [&](std::span<const std::uint8_t> name) {
        return ours.image->match(name, ours.scratch);
    };
    const auto bursts_by_ours = [&](std::span<const matchers::WireName> burst,
                                    std::span<matchers::TagBits> tags) {
        ours.image->match(burst, ours.scratch, tags);
    };
    if (options.only_ours) {
        double ns = 0;
        for (int round = 0; round < options.rounds; ++round)
            ns = ns_of_bursts(names, sum, bursts_by_ours);
        std::cout << boost::json::object{{"ns", rounded(ns)}, {"sum", sum}} << '\n';
        return;
    }
    const double parse_s = parse_seconds(scene);
    const Ours suffixes = build_ours(scene, false);
    MemoryStore store;
    build_ours(scene, true, &store);
    const double first_s = build_ours(scene, true, &store).build_s;
    make_memory_ready();
    std::vector<double> loads_s;
    for (int load = 0; load < kLoads; ++load)
        loads_s.push_back(build_ours(scene, true, &store).build_s);
    bench::FlatWalk flat;
    for (const auto* rules : {&scene.rules, &scene.patterns}) {
        for (const auto& [set, rule] : *rules)
            flat.add(set, rule);
    }
    flat.build();
    bench::Patterns hyperscan;
    Scene few = scene;
    few.rules.resize(std::min(options.hyperscan, few.rules.size()));
    for (const auto* rules : {&few.rules, &few.patterns}) {
        for (const auto& [set, rule] : *rules) {
            matchers::TagBits tags;
            tags.set(set);
            hyperscan.add(bench::expression_of(rule), tags);
        }
    }
    hyperscan.compile();

    std::size_t under_rule = 0, under_pattern = 0;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const matchers::TagBits tags = by_ours(names.at(i));
        if (tags != flat.match(names.at(i))) fail("two ways to match a name differ");
        under_rule += (tags.words[0] & 0xff) != 0;
        under_pattern += (tags.words[0] & 0x300) != 0;
    }
    if (options.patterns > 0 && under_pattern < names.size() / kUnderPattern)
        fail("names under a pattern are missing");
    std::vector<double> our_ns, alone_ns, flat_ns, hyperscan_ns;
    const auto hyperscan_names = std::min<std::size_t>(names.size(), 100'000);
    for (int round = 0; round < options.rounds; ++round) {
        our_ns.push_back(ns_of_bursts(names, sum, bursts_by_ours));
        alone_ns.push_back(ns_a_name(names, names.size(), sum, by_ours));
        flat_ns.push_back(
            ns_a_name(names, names.size(), sum, [&](auto name) { return flat.match(name); }));
        hyperscan_ns.push_back(ns_a_name(names, hyperscan_names, sum, [&](auto name) {
            matchers::TagBits tags;
            hyperscan.scan(name, tags);
            return tags;
        }));
    }
    const PrefixFigures prefixes = measure_prefixes(options);
    const matchers::SuffixSize size = ours.image->suffix_size();
    const double bytes_per_rule =
        static_cast<double>(size.bytes - size.name_bytes) / static_cast<double>(size.names);
    const double best = std::min(median(flat_ns), median(hyperscan_ns));
    const auto per_name = [&](std::size_t part) {
        return rounded(100.0 * static_cast<double>(part) / static_cast<double>(names.size()));
    };
    std::cout << boost::json::object{{"ns", rounded(median(our_ns))},
                                     {"alone_ns", rounded(median(alone_ns))},
                                     {"flat_ns", rounded(median(flat_ns))},
                                     {"hyperscan_ns", rounded(median(hyperscan_ns))},
                                     {"ratio", std::round(best / median(our_ns) * 1000) / 1000},
                                     {"bytes_per_rule", rounded(bytes_per_rule)},
                                     {"build_s", std::round(suffixes.build_s * 100) / 100},
                                     {"build_all_s", std::round(ours.build_s * 100) / 100},
                                     {"load_ms", rounded(median(loads_s) * 1e3)},
                                     {"first_load_ms", rounded(first_s * 1e3)},
                                     {"parse_s", std::round(parse_s * 100) / 100},
                                     {"prefix_v4_ns", rounded(prefixes.v4_ns)},
                                     {"prefix_v6_ns", rounded(prefixes.v6_ns)},
                                     {"prefix_build_s", std::round(prefixes.build_s * 100) / 100},
                                     {"under_rule_percent", per_name(under_rule)},
                                     {"under_pattern_percent", per_name(under_pattern)},
                                     {"sum", sum}}
              << '\n';
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        const auto value = [&] {
            if (i + 1 == argc) fail(word + " needs a number");
            return std::strtoul(argv[++i], nullptr, 10);
        };
        if (word == "--rules")
            options.rules = value();
        else if (word == "--patterns")
            options.patterns = value();
        else if (word == "--names")
            options.names = value();
        else if (word == "--hyperscan")
            options.hyperscan = value();
        else if (word == "--prefixes")
            options.prefixes = value();
        else if (word == "--rounds")
            options.rounds = static_cast<int>(value());
        else if (word == "--only-ours")
            options.only_ours = true;
        else
            fail("unknown word " + word);
    }
    run(options);
}
