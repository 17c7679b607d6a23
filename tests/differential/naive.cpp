#include "differential/naive.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "differential/geo.h"

namespace steer::differential {
namespace {

std::string lower(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

// Words stand between blanks and commas; a comma within a regexp is its own.
std::vector<std::string> words_of(const std::string& text) {
    std::vector<std::string> words;
    std::string word;
    for (const char c : text + " ") {
        if (c != ' ' && (c != ',' || word.starts_with("regexp:"))) {
            word += c;
        } else if (!word.empty()) {
            words.push_back(word);
            word.clear();
        }
    }
    return words;
}

std::vector<std::string> words_of(const YAML::Node& args) {
    if (!args) return {};
    if (args.IsScalar()) return words_of(args.as<std::string>());
    std::vector<std::string> words;
    for (const auto& item : args)
        words.push_back(item.as<std::string>());
    return words;
}

std::string argument(const YAML::Node& args, const char* key, const std::string& otherwise) {
    return args && args.IsMap() && args[key] ? args[key].as<std::string>() : otherwise;
}

std::uint64_t seconds(const YAML::Node& args, const char* key, std::uint64_t otherwise) {
    return std::stoull(argument(args, key, std::to_string(otherwise)));
}

bool matches_rule(const std::string& name, std::string rule) {
    const auto take = [&rule](const char* type) {
        const bool is = rule.starts_with(type);
        if (is) rule.erase(0, rule.find(':') + 1);
        return is;
    };
    if (take("regexp:")) return std::regex_search(name, std::regex(rule, std::regex::icase));
    rule = lower(rule);
    if (rule.ends_with('.')) rule.pop_back();
    if (take("keyword:")) return name.find(rule) != std::string::npos;
    const bool whole = take("full:");
    if (!whole) take("domain:");
    return name == rule || (!whole && name.ends_with("." + rule));
}

std::vector<unsigned char> bytes_of(const std::string& address) {
    std::vector<unsigned char> bytes(address.find(':') == std::string::npos ? 4 : 16);
    if (inet_pton(bytes.size() == 4 ? AF_INET : AF_INET6, address.c_str(), bytes.data()) != 1)
        throw std::runtime_error("no address: " + address);
    return bytes;
}

bool in_prefix(const std::string& address, const std::string& prefix) {
    const auto slash = prefix.find('/');
    const auto a = bytes_of(address), p = bytes_of(prefix.substr(0, slash));
    if (a.size() != p.size()) return false;
    const std::size_t bits =
        slash == std::string::npos ? a.size() * 8 : std::stoul(prefix.substr(slash + 1));
    for (std::size_t i = 0; i < bits; ++i) {
        if (((a[i / 8] ^ p[i / 8]) >> (7 - i % 8) & 1) != 0) return false;
    }
    return true;
}

// "17.2.0.192.in-addr.arpa" is 192.0.2.17; empty: no address.
std::string address_in(const std::string& name) {
    static const std::regex kV4(
        "(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})\\.in-addr\\.arpa");
    std::smatch m;
    if (!std::regex_match(name, m, kV4)) return "";
    return m.str(4) + "." + m.str(3) + "." + m.str(2) + "." + m.str(1);
}

// Selectors are CODE or CODE@ATTRIBUTE; none: everything.
bool is_selected(const YAML::Node& selectors, const std::string& code,
                 const std::string& attribute) {
    if (!selectors) return true;
    return std::ranges::any_of(words_of(selectors), [&](const std::string& selector) {
        const auto at = selector.find('@');
        return lower(selector.substr(0, at)) == lower(code) &&
               (at == std::string::npos || lower(selector.substr(at + 1)) == lower(attribute));
    });
}

unsigned number_of(const std::string& type, const std::string& word) {
    static const std::map<std::string, unsigned> kTypes{
        {"a", 1}, {"cname", 5}, {"txt", 16}, {"aaaa", 28}, {"https", 65}};
    static const std::map<std::string, unsigned> kClasses{{"in", 1}, {"ch", 3}};
    static const std::map<std::string, unsigned> kRcodes{
        {"noerror", 0}, {"servfail", 2}, {"nxdomain", 3}, {"refused", 5}};
    const auto& names = type == "qtype" ? kTypes : type == "qclass" ? kClasses : kRcodes;
    const auto at = names.find(lower(word));
    return at != names.end() ? at->second : static_cast<unsigned>(std::stoul(word));
}

struct AdguardRule {
    std::string pattern;
    bool exception = false, important = false, badfilter = false;
    std::vector<std::string> others;  // modifiers

    explicit AdguardRule(std::string text) {
        exception = text.starts_with("@@");
        if (exception) text.erase(0, 2);
        const auto dollar = text.find('$');
        pattern = text.substr(0, dollar);
        if (dollar == std::string::npos) return;
        for (const auto& modifier : words_of(text.substr(dollar + 1))) {
            if (modifier == "important")
                important = true;
            else if (modifier == "badfilter")
                badfilter = true;
            else
                others.push_back(modifier);
        }
        std::ranges::sort(others);
    }
    // `type` 0: a rule for certain types does not hold.
    [[nodiscard]] bool holds(const std::string& name, unsigned type) const {
        for (const std::string& modifier : others) {
            const bool is_type = modifier.starts_with("dnstype=");
            const auto words = parts_of(modifier.substr(modifier.find('=') + 1));
            if (is_type && (type == 0 || !is_for(words, type))) return false;
            if (!is_type && std::ranges::any_of(words, [&](const std::string& w) {
                    return matches_rule(name, "domain:" + w);
                }))
                return false;
        }
        return fits(name);
    }

  private:
    static std::vector<std::string> parts_of(std::string text) {
        std::ranges::replace(text, '|', ' ');
        return words_of(text);
    }
    // One that is named, or any but those with ~.
    static bool is_for(const std::vector<std::string>& types, unsigned type) {
        bool any_named = false, named = false;
        for (const std::string& word : types) {
            const bool other = word.starts_with('~');
            const bool same = number_of("qtype", other ? word.substr(1) : word) == type;
            if (other && same) return false;
            any_named = any_named || !other;
            named = named || (!other && same);
        }
        return named || !any_named;
    }
    [[nodiscard]] bool fits(const std::string& name) const {
        std::string p = pattern;
        if (p.starts_with('/'))
            return std::regex_search(name, std::regex(p.substr(1, p.size() - 2)));
        if (p.find_first_of("|^*") == std::string::npos) return name == p;
        std::string begin, end;
        if (p.starts_with("||"))
            begin = "(^|[.])";
        else if (p.starts_with('|'))
            begin = "^";
        p.erase(0, p.find_first_not_of('|'));
        while (p.ends_with('^') || p.ends_with('|')) {
            end = "$";
            p.pop_back();
        }
        std::string all;
        for (const char c : p)
            all += c == '.' ? std::string("[.]") : c == '*' ? std::string(".*") : std::string(1, c);
        return std::regex_search(name, std::regex(begin + all + end));
    }
};

bool is_address(const Record& r) {
    return r.type == kA || r.type == kAaaa;
}

bool is_failure(unsigned rcode) {
    return rcode != kNoError && rcode != kNxDomain && rcode != kYxDomain;
}

// NXDOMAIN, or no record of the type that was asked for.
bool is_negative(const Reply& r, std::uint16_t type) {
    return r.rcode == kNxDomain ||
           std::ranges::none_of(r.answer, [&](const Record& a) { return a.type == type; });
}

}  // namespace

Naive::Naive(const std::string& yaml, std::map<std::string, std::string> environment)
    : yaml_(YAML::Load(yaml)),
      environment_(std::move(environment)),
      asks_client_(yaml.find("client_ip") != std::string::npos ||
                   yaml.find("server_name") != std::string::npos ||
                   yaml.find("url_path") != std::string::npos ||
                   yaml.find("$clock") != std::string::npos ||
                   yaml.find("probe_executor") != std::string::npos ||
                   yaml.find("tag: second") != std::string::npos) {
    const YAML::Node plugins = yaml_["plugins"];
    for (std::size_t i = 0; i < plugins.size(); ++i)
        plugins_.emplace(plugins[i]["tag"].as<std::string>(), plugins[i]);
}

const YAML::Node& Naive::plugin(const std::string& tag) const {
    return plugins_.at(tag);
}

Outcome Naive::ask(const Question& question, std::uint64_t now_ms) {
    question_ = question;
    name_ = lower(question.name);
    now_s_ = now_ms / 1000;
    response_ = nullptr;
    claimed_.clear();
    marks_.clear();
    failed_ = lists_in_doubt_ = dropped_ = is_rewritten_ = false;
    seen_ = {};
    const auto second = plugins_.find("second");
    const bool is_second =
        second != plugins_.end() &&
        second->second["args"]["listen"].as<std::string>() == question.local + ":53";
    run(plugin(is_second ? "second" : "server")["args"]["entry"].as<std::string>(), 0);
    seen_.decision = decision();
    if (dropped_) {
        seen_.dropped = true;
        return seen_;
    }
    if (!response_) {
        respond_empty(kNoError);
        seen_.nobody_answered = true;
    }
    const Reply& r = response_->reply;
    seen_.rcode = r.rcode;
    seen_.records = r.answer;
    if (r.soa) seen_.records.push_back(*r.soa);
    const std::uint64_t age_s = now_s_ - response_->born_s;
    for (Record& record : seen_.records)
        record.ttl_s -= static_cast<std::uint32_t>(std::min<std::uint64_t>(record.ttl_s, age_s));
    seen_.lists = claimed_;
    return seen_;
}

void Naive::respond(std::shared_ptr<Response> response) {
    response_ = std::move(response);
    if (response_) response_->redirects = redirects_;
    claimed_.clear();  // they were for addresses that no client gets
}

// docs/guides/query-log.md
std::string Naive::decision() const {
    if (dropped_) return "dropped";
    if (!response_) return "empty";
    if (!response_->decision.empty()) return response_->decision;
    if (is_rewritten_) return "rewritten";
    return claimed_.empty() ? "forwarded" : "steered";
}

void Naive::respond_empty(unsigned rcode, const std::string& decision) {
    if (respond_as_missed()) return;
    auto r = std::make_shared<Response>();
    r->reply.rcode = rcode;
    r->decision = decision;
    r->born_s = now_s_;
    respond(std::move(r));
}

void Naive::note(const std::string& kind, const std::string& text) {
    if (as_missed_ != nullptr) return;
    seen_.notes.push_back(kind + " " + text + " " +
                          (response_ ? std::to_string(response_->reply.rcode) : "none"));
}

// ---- sequences

Naive::Flow Naive::run(const std::string& tag, std::size_t rule) {
    const YAML::Node rules = plugin(tag)["args"];
    for (; rule < rules.size(); ++rule) {
        const YAML::Node matches = rules[rule]["matches"];
        bool all = true;
        if (matches && matches.IsScalar()) all = holds(matches.as<std::string>());
        if (matches && matches.IsSequence()) {
            for (const auto& m : matches)
                all = all && holds(m.as<std::string>());
        }
        if (!all) continue;
        const std::string text = rules[rule]["exec"].as<std::string>();
        const auto first = words_of(text).front();
        const std::string type =
            first.starts_with('$') ? plugin(first.substr(1))["type"].as<std::string>() : first;
        const Flow flow = exec(tag, rule, text);
        if (first == "goto") return flow;  // the other sequence takes the place of the rest
        // What wraps has run the rest of this sequence.
        constexpr std::array kWrapping{"cache",    "ros_address_list", "query_summary",
                                       "redirect", "prefer_ipv4",      "prefer_ipv6"};
        if (flow != Flow::went_on || std::ranges::find(kWrapping, type) != kWrapping.end())
            return flow;
    }
    return Flow::went_on;
}

Naive::Flow Naive::call(const std::string& tag, const std::string& caller, std::size_t rule) {
    const std::string before = where_;
    where_.append("/").append(caller).append(std::to_string(rule));
    const Flow flow = run(tag, 0);
    where_ = before;
    return flow;
}

Naive::Flow Naive::exec(const std::string& tag, std::size_t rule, const std::string& text) {
    auto words = words_of(text);
    const std::string first = words.front();
    words.erase(words.begin());
    if (first == "accept") return Flow::stopped;
    if (first == "return") return Flow::returned;
    if (first == "reject") {
        respond_empty(words.empty() ? 5 : number_of("rcode", words[0]), "rejected");
        return Flow::stopped;
    }
    if (first == "drop") {
        if (as_missed_ != nullptr) ++responders_;
        dropped_ = as_missed_ == nullptr;
        respond(nullptr);
        return Flow::stopped;
    }
    if (first == "mark") {
        for (const auto& word : words)
            marks_.insert(static_cast<std::uint32_t>(std::stoul(word)));
        return Flow::went_on;
    }
    if (first == "jump") {
        const Flow flow = call(words[0], tag, rule);
        return flow == Flow::stopped ? Flow::stopped : Flow::went_on;
    }
    if (first == "goto") return call(words[0], tag, rule);
    if (first == "forward") return forward(words[0], words.back() == "short_circuit");
    if (first == "debug_print") {
        note("debug", text.substr(text.find(' ') + 1));
        return Flow::went_on;
    }
    if (first == "sleep") return Flow::went_on;
    if (first.starts_with("prefer_")) return prefer(first, {}, tag, rule + 1);
    if (first == "drop_resp") {
        ++responders_;
        respond(nullptr);
        return Flow::went_on;
    }
    if (first == "ttl") {
        const auto dash = words[0].find('-');
        const std::uint64_t least_s = std::stoull(words[0]);
        const std::uint64_t most_s =
            dash == std::string::npos ? least_s : std::stoull(words[0].substr(dash + 1));
        change_ttls(least_s, most_s == 0 ? UINT32_MAX : most_s);
        return Flow::went_on;
    }
    if (first == "black_hole") {
        const bool has_mode = words.empty() || words[0].find_first_of(".:") == std::string::npos;
        black_hole(words.empty() ? "nxdomain"
                   : has_mode    ? words[0]
                                 : "custom",
                   has_mode ? std::vector<std::string>{} : words);
        return Flow::went_on;
    }
    const YAML::Node p = plugin(first.substr(1));
    return exec_plugin(p["type"].as<std::string>(), p["args"], first.substr(1), tag, rule + 1);
}

Naive::Flow Naive::exec_plugin(const std::string& type, const YAML::Node& args,
                               const std::string& tag, const std::string& sequence,
                               std::size_t next) {
    if (type == "sequence") return call(tag, sequence, next);  // what ends it ends who executes it
    if (type == "forward") {
        return forward(args["upstreams"][0]["addr"].as<std::string>(),
                       argument(args, "short_circuit", "false") == "true");
    }
    if (type == "reload" || type == "reload_provider") {
        if (as_missed_ == nullptr) seen_.raised.insert(tag);
        return Flow::went_on;
    }
    if (type == "debug_print") {
        note("debug", argument(args, "msg", ""));
        return Flow::went_on;
    }
    if (type == "nftset") {
        claim(tag, args);
        return Flow::went_on;
    }
    if (type == "black_hole" || type == "hosts" || type == "arbitrary") return known(type, args);
    if (type == "fallback") return fallback(args);
    if (type == "cache") return cache(tag, args, sequence, next);
    if (type == "redirect") return redirect(args, sequence, next);
    if (type.starts_with("prefer_")) return prefer(type, args, sequence, next);
    const Flow flow = run(sequence, next);
    if (type == "ros_address_list") {
        claim(tag, args);
    } else if (type == "query_summary") {
        note("summary", argument(args, "msg", ""));
    } else {
        throw std::runtime_error("no executor: " + type);
    }
    return flow;
}

// ---- executors

Naive::Flow Naive::forward(const std::string& upstream, bool short_circuit) {
    if (respond_as_missed()) return short_circuit ? Flow::stopped : Flow::went_on;
    if (question_.klass == kChaos) {  // it asks which server this is
        respond_empty(kNotImp, "local");
        return short_circuit ? Flow::stopped : Flow::went_on;
    }
    seen_.asked.push_back(upstream);
    const auto reply = world_.ask(upstream, name_, question_.type, question_.klass);
    if (!reply) {
        respond_empty(kServFail);
        response_->is_upstreams_word = true;
        failed_ = true;
        return Flow::stopped;
    }
    auto r = std::make_shared<Response>();
    r->reply = *reply;
    if (r->reply.soa) {  // RFC 2308 3
        Record& soa = *r->reply.soa;
        soa.ttl_s = std::min(soa.ttl_s, static_cast<std::uint32_t>(std::stoul(soa.data)));
    }
    r->born_s = now_s_;
    r->id = ++ids_;
    r->is_upstreams_word = true;
    respond(std::move(r));
    return short_circuit ? Flow::stopped : Flow::went_on;
}

void Naive::respond_with(Reply reply, const std::string& decision) {
    if (respond_as_missed()) return;
    auto r = std::make_shared<Response>();
    r->reply = std::move(reply);
    r->decision = decision;
    r->born_s = now_s_;
    respond(std::move(r));
}

// As they would leave now.
void Naive::change_ttls(std::uint64_t least_s, std::uint64_t most_s) {
    if (!response_ || as_missed_ != nullptr) return;
    Reply& reply = response_->reply;
    const std::uint64_t age_s = now_s_ - response_->born_s;
    const auto change = [&](Record& r) {
        const std::uint64_t left_s = r.ttl_s > age_s ? r.ttl_s - age_s : 0;
        r.ttl_s = static_cast<std::uint32_t>(std::min(std::max(left_s, least_s), most_s));
    };
    std::ranges::for_each(reply.answer, change);
    if (reply.soa) change(*reply.soa);
    response_->born_s = now_s_;
}

Naive::Flow Naive::known(const std::string& type, const YAML::Node& args) {
    bool answers = true;
    if (type == "black_hole") {
        black_hole("custom", words_of(args["ips"]));
    } else {
        answers = type == "hosts" ? hosts(args) : zone(args);
    }
    const bool stops = answers && argument(args, "short_circuit", "false") == "true";
    return stops ? Flow::stopped : Flow::went_on;
}

void Naive::black_hole(const std::string& mode, const std::vector<std::string>& addresses) {
    if (mode == "refused") return respond_empty(5, "blocked");
    if (mode == "servfail") return respond_empty(kServFail, "blocked");
    Reply reply;
    reply.rcode = mode == "nxdomain" ? kNxDomain : kNoError;
    auto all = addresses;
    if (mode == "null") all = {"0.0.0.0", "::"};
    for (const std::string& a : all) {
        const std::uint16_t type = a.find(':') == std::string::npos ? kA : kAaaa;
        if (type == question_.type && question_.klass == 1)
            reply.answer.push_back({name_, type, 300, a});
    }
    if (reply.answer.empty()) reply.soa = Record{name_, kSoa, 300, "300"};
    respond_with(reply, "blocked");
}

// The best rule alone: a whole name before the longest suffix.
bool Naive::hosts(const YAML::Node& args) {
    if (question_.klass != 1 || (question_.type != kA && question_.type != kAaaa)) return false;
    std::vector<std::string> best;
    for (const bool whole : {false, true}) {
        for (const auto& entry : args["entries"]) {
            auto words = words_of(entry);
            std::string rule = words[0];
            if (rule.starts_with("domain:") == whole) continue;
            if (rule.find(':') == std::string::npos) rule.insert(0, "full:");
            words.erase(words.begin());
            if (matches_rule(name_, rule)) best = words;
        }
    }
    if (best.empty()) return false;
    Reply reply;
    for (const std::string& a : best) {
        const std::uint16_t type = a.find(':') == std::string::npos ? kA : kAaaa;
        if (type == question_.type) reply.answer.push_back({name_, type, 10, a});
    }
    if (reply.answer.empty()) reply.soa = Record{name_, kSoa, 10, "10"};
    respond_with(reply, "local");
    return true;
}

bool Naive::zone(const YAML::Node& args) {
    static const std::map<std::string, std::uint16_t> kTypes{
        {"A", kA}, {"TXT", kTxt}, {"CNAME", kCname}};
    Reply reply;
    for (const auto& rule : args["rules"]) {
        auto words = words_of(rule);
        const std::string data = words.back();
        std::uint32_t ttl_s = 3600;
        std::uint16_t type = 0;
        for (std::size_t i = 1; i + 1 < words.size(); ++i) {
            if (kTypes.contains(words[i])) type = kTypes.at(words[i]);
            if (std::isdigit(static_cast<unsigned char>(words[i][0])) != 0)
                ttl_s = static_cast<std::uint32_t>(std::stoul(words[i]));
        }
        if (words[0].substr(0, words[0].size() - 1) != name_ || type != question_.type ||
            question_.klass != 1)
            continue;
        reply.answer.push_back(
            {name_, type, ttl_s, type == kCname ? data.substr(0, data.size() - 1) : data});
    }
    if (reply.answer.empty()) return false;
    respond_with(reply, "local");
    return true;
}

// A program of its own: what ends it ends nothing else, and it begins without a response.
Naive::Unit Naive::run_unit(const std::string& tag) {
    const std::string type = plugin(tag)["type"].as<std::string>();
    respond(nullptr);
    failed_ = false;
    exec_plugin(type, plugin(tag)["args"], tag, "", 0);
    const bool remembered_failure =
        response_ && !response_->cache.empty() && is_failure(response_->reply.rcode);
    if (failed_ || remembered_failure) return Unit::failed;
    return response_ || dropped_ ? Unit::answered : Unit::without_answer;
}

Naive::Flow Naive::fallback(const YAML::Node& args) {
    if (respond_as_missed()) {
        // Which of them answered is not known: what the answer was claimed for says it.
        std::set<std::string> units;
        lists_of(argument(args, "primary", ""), units);
        lists_of(argument(args, "secondary", ""), units);
        std::ranges::set_intersection(lists_of_hit_, units,
                                      std::inserter(claimed_, claimed_.end()));
        return argument(args, "short_circuit", "false") == "true" ? Flow::stopped : Flow::went_on;
    }
    const auto response = response_;
    const auto claimed = claimed_;
    const auto marks = marks_;
    const bool was_rewritten = is_rewritten_;
    const Unit first = run_unit(argument(args, "primary", ""));
    Unit second = Unit::without_answer;
    const char* const reason =
        first == Unit::failed ? "fallback_on_error" : "fallback_on_no_response";
    if (first != Unit::answered && argument(args, reason, "true") == "true") {
        marks_ = marks;
        is_rewritten_ = was_rewritten;
        second = run_unit(argument(args, "secondary", ""));
    }
    failed_ = first == Unit::failed || second == Unit::failed;
    if (dropped_) {
        failed_ = false;
        return Flow::stopped;
    }
    if (first == Unit::answered || second == Unit::answered) {
        failed_ = false;
        return argument(args, "short_circuit", "false") == "true" ? Flow::stopped : Flow::went_on;
    }
    marks_ = marks;
    is_rewritten_ = was_rewritten;
    if (failed_) {
        respond_empty(kServFail);
        response_->is_upstreams_word = true;
        return Flow::stopped;
    }
    response_ = response;
    claimed_ = claimed;
    return Flow::went_on;
}

Naive::Flow Naive::cache(const std::string& tag, const YAML::Node& args,
                         const std::string& sequence, std::size_t next) {
    const Key key{tag,
                  name_,
                  question_.type,
                  question_.klass,
                  question_.dnssec_ok,
                  question_.checking_disabled};
    if (as_missed_ != nullptr) {
        lists_in_doubt_ = true;  // it may have had an answer then
        return run(sequence, next);
    }
    const Entry met{
        {}, 0, {}, false, sequence + std::to_string(next), marks_, response_ != nullptr};
    const auto at = kept_.find(key);
    if (at != kept_.end() && at->second.expires_s > now_s_) {
        const Entry& entry = at->second;
        auto hit = std::make_shared<Response>(entry.response);
        hit->cache = tag;
        hit->id = 0;
        hit->decision.clear();
        hit->is_upstreams_word = false;
        if (entry.lists_in_doubt || entry.place != met.place || entry.marks != met.marks ||
            entry.had_response || met.had_response)
            lists_in_doubt_ = true;
        claim_as_missed(tag, entry, sequence, next);
        const auto claimed = claimed_;
        respond(std::move(hit));
        claimed_ = claimed;
        if (argument(args, "short_circuit", "false") == "true") return Flow::stopped;
    }
    const auto before = claimed_;
    const auto response_before = response_;
    ++caches_;
    const Flow flow = run(sequence, next);
    --caches_;
    keep(tag, args, response_ == response_before ? before : std::set<std::string>{}, met);
    return flow;
}

void Naive::claim_as_missed(const std::string& tag, const Entry& hit, const std::string& sequence,
                            std::size_t next) {
    const auto marks = marks_;
    auto answer = hit.response;
    answer.cache = tag;
    as_missed_ = &answer;
    redirects_as_missed_ = redirects_;
    lists_of_hit_ = hit.lists;
    responders_ = 0;
    claimed_.clear();
    run(sequence, next);
    if (responders_ != 1) lists_in_doubt_ = true;
    as_missed_ = nullptr;
    marks_ = marks;
}

bool Naive::respond_as_missed() {
    if (as_missed_ == nullptr) return false;
    ++responders_;
    respond(std::make_shared<Response>(*as_missed_));
    response_->redirects = redirects_as_missed_;
    return true;
}

// Those that it may come to.
void Naive::lists_of(const std::string& tag, std::set<std::string>& lists) const {
    const YAML::Node p = plugin(tag);
    const auto type = p["type"].as<std::string>();
    if (type == "ros_address_list" || type == "nftset") lists.insert(tag);
    if (type == "fallback") {
        lists_of(argument(p["args"], "primary", ""), lists);
        lists_of(argument(p["args"], "secondary", ""), lists);
    }
    if (type != "sequence") return;
    for (const auto& rule : p["args"]) {
        const auto words = words_of(rule["exec"].as<std::string>());
        if (words[0].starts_with('$')) lists_of(words[0].substr(1), lists);
        if (words[0] == "jump" || words[0] == "goto") lists_of(words[1], lists);
    }
}

// The first rule that holds counts; the answer to what was asked for instead is put behind an alias.
Naive::Flow Naive::redirect(const YAML::Node& args, const std::string& sequence, std::size_t next) {
    std::string target;
    for (const auto& rule : args["rules"]) {
        const auto words = words_of(rule);
        const std::string pattern =
            words[0].find(':') == std::string::npos ? "full:" + words[0] : words[0];
        if (!target.empty() || !matches_rule(name_, pattern)) continue;
        target = lower(words[1]);
        if (target.ends_with('.')) target.pop_back();
    }
    if (target.empty() || target == name_ || question_.klass != 1) return run(sequence, next);
    const std::string name = std::exchange(name_, target);
    if (as_missed_ == nullptr) is_rewritten_ = true;
    ++redirects_;
    const Flow flow = run(sequence, next);
    name_ = name;
    const unsigned level = redirects_--;
    if (!response_ || response_->redirects != level) return flow;
    response_ = std::make_shared<Response>(*response_);
    response_->redirects = redirects_;
    if (is_failure(response_->reply.rcode)) return flow;
    change_ttls(0, UINT32_MAX);  // to those that are left
    auto& answer = response_->reply.answer;
    answer.insert(answer.begin(), Record{name, kCname, 1, target});
    response_->cache.clear();
    return flow;
}

// The rest runs for the type asked, and then, without what is there so far, for the preferred one: if that has records,
// the first result does not count. Both at once would do the same. With a probe_executor, that runs for the preferred one,
// and nothing follows then.
Naive::Flow Naive::prefer(const std::string& type, const YAML::Node& args,
                          const std::string& sequence, std::size_t next) {
    const std::uint16_t wanted = type == "prefer_ipv4" ? kA : kAaaa;
    const std::uint16_t other = type == "prefer_ipv4" ? kAaaa : kA;
    const std::pair key{where_ + "/" + sequence + std::to_string(next), name_};
    const auto has_wanted = [&] {
        return response_ && response_->reply.rcode == kNoError &&
               !is_negative(response_->reply, wanted);
    };
    const std::string probe = argument(args, "probe_executor", "");
    const auto remember = [&](Flow flow) {
        if (argument(args, "cache", "true") == "true" && has_wanted())
            preferred_[key] = {now_s_ + seconds(args, "cache_ttl", 3600),
                               probe.empty() ? flow : Flow::stopped};
        return flow;
    };
    if (as_missed_ != nullptr) lists_in_doubt_ = true;
    if (question_.klass != 1 || (question_.type != wanted && question_.type != other) ||
        as_missed_ != nullptr)
        return run(sequence, next);
    if (question_.type == wanted) return remember(run(sequence, next));
    const auto known = preferred_.find(key);
    if (known != preferred_.end() && known->second.until_s > now_s_) {
        respond_empty(kNoError, "local");
        return known->second.flow;
    }
    const auto marks = marks_;
    const bool was_rewritten = is_rewritten_;
    const Flow flow = run(sequence, next);
    const bool is_rewritten = std::exchange(is_rewritten_, was_rewritten);
    const auto response = response_;
    const unsigned redirects = response ? response->redirects : 0;  // it may answer an outer name
    const auto claimed = claimed_;
    const auto marks_after = marks_;
    const bool failed = std::exchange(failed_, false);
    const bool dropped = std::exchange(dropped_, false);

    marks_ = marks;
    respond(nullptr);
    question_.type = wanted;
    Flow flow_of_wanted = Flow::stopped;
    if (probe.empty()) {
        flow_of_wanted = run(sequence, next);
    } else {
        run_unit(probe);
    }
    remember(flow_of_wanted);
    question_.type = other;
    dropped_ = false;
    is_rewritten_ = was_rewritten;
    if (!std::exchange(failed_, false) && has_wanted()) {
        marks_ = marks;
        respond_empty(kNoError, "local");
        return flow_of_wanted;
    }
    if (failed) {
        marks_ = marks;
        respond_empty(kServFail);
        response_->is_upstreams_word = failed_ = true;
        return Flow::stopped;
    }
    respond(response);
    is_rewritten_ = is_rewritten;
    if (response_) response_->redirects = redirects;
    claimed_ = claimed;
    marks_ = marks_after;
    dropped_ = dropped;
    return flow;
}

// `before`: what the response was claimed for before the cache.
void Naive::keep(const std::string& tag, const YAML::Node& args,
                 const std::set<std::string>& before, const Entry& met) {
    if (!response_ || response_->cache == tag || response_->redirects != redirects_) return;
    const Key key{tag,
                  name_,
                  question_.type,
                  question_.klass,
                  question_.dnssec_ok,
                  question_.checking_disabled};
    Reply& reply = response_->reply;
    const std::uint64_t age_s = now_s_ - response_->born_s;
    std::vector<Record*> records;
    for (Record& r : reply.answer)
        records.push_back(&r);
    if (reply.soa) records.push_back(&*reply.soa);
    const auto smallest_ttl = [&] {
        std::uint64_t least = UINT32_MAX;
        for (const Record* r : records)
            least = std::min<std::uint64_t>(least, r->ttl_s);
        return records.empty() ? 0 : least;
    };

    std::uint64_t life_s = 0;
    if (is_failure(reply.rcode)) {
        // Only what upstreams are to blame for, and never in place of an answer.
        const auto there = kept_.find(key);
        if (!response_->is_upstreams_word ||
            (there != kept_.end() && there->second.expires_s > now_s_))
            return;
        life_s = seconds(args, "failure_ttl", 5);
    } else if (is_negative(reply, question_.type)) {
        if (argument(args, "cache_negative", "true") == "false") return;
        const std::uint64_t most_s = seconds(args, "max_negative_ttl", 300);
        life_s = std::min(
            most_s, reply.soa ? smallest_ttl() : seconds(args, "negative_ttl_without_soa", 60));
        if (!reply.soa && !records.empty()) life_s = std::min(life_s, smallest_ttl());
        if (life_s == 0) return;
        for (Record* r : records)
            r->ttl_s = static_cast<std::uint32_t>(std::min<std::uint64_t>(r->ttl_s, most_s));
    } else {
        // An answer that is left with less than the least is not kept, and leaves unchanged. The TTLs that are left come
        // within the limits, for who asked as well.
        if (smallest_ttl() < seconds(args, "min_positive_ttl", 0) + age_s) return;
        const std::uint64_t least_s = seconds(args, "cache_min_ttl", 0);
        const std::uint64_t most_s = seconds(args, "max_positive_ttl", UINT32_MAX - age_s);
        if (least_s == 0 && smallest_ttl() == 0) return;
        for (Record* r : records) {
            std::uint64_t left = r->ttl_s > age_s ? r->ttl_s - age_s : 0;
            left = std::min(std::max(left, least_s), most_s);
            if (left + age_s < r->ttl_s ||
                left > r->ttl_s - std::min<std::uint64_t>(r->ttl_s, age_s))
                r->ttl_s = static_cast<std::uint32_t>(left + age_s);
        }
        life_s = smallest_ttl();
    }
    if (life_s == 0 || age_s >= life_s) return;
    const auto there = kept_.find(key);
    if (there != kept_.end() && response_->id != 0 && there->second.response.id == response_->id &&
        there->second.expires_s > now_s_)
        return;  // it is this very answer
    Entry e = met;
    e.response = *response_;
    e.expires_s = response_->born_s + life_s;
    e.lists_in_doubt = lists_in_doubt_;
    std::ranges::set_difference(claimed_, before, std::inserter(e.lists, e.lists.end()));
    kept_[key] = std::move(e);
}

void Naive::claim(const std::string& tag, const YAML::Node& args) {
    if (!response_ || response_->reply.rcode != kNoError) return;
    const bool v4 = args["ipv4"] || !argument(args, "address_list4", "").empty();
    const bool v6 = args["ipv6"] || !argument(args, "address_list6", "").empty();
    const bool lacks = (question_.type == kA && !v4) || (question_.type == kAaaa && !v6);
    if (lacks && argument(args, "missing_family", "answer") == "nodata") {
        if ((caches_ > 0 || as_missed_ != nullptr) && asks_client_) gives_up_ = true;
        const std::string made = response_->decision.empty() ? "local" : response_->decision;
        if (as_missed_ == nullptr) return respond_empty(kNoError, made);
        return respond(std::make_shared<Response>());
    }
    for (const Record& r : response_->reply.answer) {
        if ((r.type == kA && v4) || (r.type == kAaaa && v6)) claimed_.insert(tag);
    }
}

// ---- matchers

// What string_exp asks for, as text.
std::string Naive::text_of(const std::string& source) const {
    std::string out;
    const auto add = [&](const std::string& one) { out += (out.empty() ? "" : ",") + one; };
    if (source == "qname") return name_;
    if (source == "qtype") return std::to_string(question_.type);
    if (source == "qclass") return std::to_string(question_.klass);
    if (source == "client_ip") return question_.client;
    if (source == "server_name") return question_.server_name;
    if (source == "url_path") return question_.url_path;
    if (source == "rcode" && response_) return std::to_string(response_->reply.rcode);
    if (source == "mark") {
        for (const std::uint32_t mark : marks_)
            add(std::to_string(mark));
    }
    if (source == "resp_ip" && response_) {
        for (const Record& r : response_->reply.answer)
            if (is_address(r)) add(r.data);
    }
    if (source[0] == '$' && environment_.contains(source.substr(1)))
        return environment_.at(source.substr(1));
    return out;
}

// SOURCE OPERATION WORD..., split at blanks alone.
bool Naive::holds_text(const std::string& text) const {
    std::istringstream in(text);
    std::string source, operation, word;
    in >> source >> operation;
    const std::string value = text_of(source);
    if (operation == "zl") return value.empty();
    const bool one_text = operation == "regexp" || source == "resp_ip" || source == "mark" ||
                          source[0] == '$' || source == "url_path";
    bool holds = false;
    while (in >> word) {
        if (operation == "regexp") holds = holds || std::regex_search(value, std::regex(word));
        for (std::string one : one_text ? std::vector{word} : words_of(word)) {
            if (source == "qname" || source == "server_name") one = lower(one);
            const bool is_end = operation == "eq" || operation == "suffix";
            if (source == "qname" && is_end && one.ends_with('.')) one.pop_back();
            holds = holds || (operation == "eq" && value == one) ||
                    (operation == "prefix" && value.starts_with(one)) ||
                    (operation == "suffix" && value.ends_with(one)) ||
                    (operation == "contains" && value.find(one) != std::string::npos);
        }
    }
    return holds;
}

bool Naive::holds(std::string text) const {
    if (text.starts_with('!')) {
        text.erase(0, text.find_first_not_of("! "));
        return !holds(text);
    }
    if (text.starts_with("string_exp ")) return holds_text(text.substr(text.find(' ') + 1));
    auto words = words_of(text);
    const std::string first = words.front();
    words.erase(words.begin());
    if (!first.starts_with('$')) return holds(first, words);
    const YAML::Node p = plugin(first.substr(1));
    if (p["type"].as<std::string>() == "time") return holds_time(p["args"]);
    return holds(p["type"].as<std::string>(), words_of(p["args"]));
}

// It is always the first minute of Thursday, 1 January 1970 (UTC).
bool Naive::holds_time(const YAML::Node& args) {
    const auto has = [](const YAML::Node& days, const std::string& day, const std::string& same) {
        if (!days) return true;
        const auto words = words_of(days);
        return std::ranges::find(words, day) != words.end() ||
               std::ranges::find(words, same) != words.end();
    };
    for (const auto& period : args["periods"]) {
        const std::string start = argument(period, "start", ""), end = argument(period, "end", "");
        const bool is_over_night = end < start;
        if (!start.empty() && start != "00:00" && (!is_over_night || end == "00:00")) continue;
        const bool began_today = start.empty() || start == "00:00";
        if (has(period["weekdays"], began_today ? "thu" : "wed", began_today ? "4" : "3") &&
            has(period["monthdays"], began_today ? "1" : "31", ""))
            return true;
    }
    return false;
}

bool Naive::holds(const std::string& type, const std::vector<std::string>& words) const {
    if (type == "_true") return true;
    if (type == "_false") return false;
    if (type == "random") return words[0] == "1";
    if (type == "has_resp") return response_ != nullptr;
    if (type == "qname" || type == "question") return in_names(name_, words, type == "question");
    if (type == "client_ip") return in_addresses(question_.client, words);
    if (type == "ptr_ip") {
        const std::string address = address_in(name_);
        return !address.empty() && in_addresses(address, words);
    }
    if (type == "any_match")
        return std::ranges::any_of(words, [&](const std::string& w) { return holds(w); });
    if (type == "env") {
        // KEY VALUE, or conditions that all hold: KEY, KEY= and KEY: ask whether it exists, KEY=VALUE and KEY:VALUE for
        // its value.
        auto conditions = words;
        if (words.size() == 2 && words[0].find_first_of(":=") == std::string::npos)
            conditions = {words[0] + "=" + words[1]};
        return std::ranges::all_of(conditions, [&](const std::string& condition) {
            const auto end = std::min(condition.find_first_of(":="), condition.size());
            const auto at = environment_.find(condition.substr(0, end));
            if (at == environment_.end()) return false;
            return condition.size() <= end + 1 || at->second == condition.substr(end + 1);
        });
    }
    if (type == "mark") {
        return std::ranges::any_of(words, [&](const std::string& w) {
            return marks_.contains(static_cast<std::uint32_t>(std::stoul(w)));
        });
    }
    if (type == "qtype" || type == "qclass" || type == "rcode") return holds_number(type, words);
    // The others ask about a response.
    const std::vector<Record> none;
    const auto& answer = response_ ? response_->reply.answer : none;
    if (type == "resp_ip") {
        return std::ranges::any_of(
            answer, [&](const Record& r) { return is_address(r) && in_addresses(r.data, words); });
    }
    if (type == "cname") {
        return std::ranges::any_of(
            answer, [&](const Record& r) { return r.type == kCname && in_names(r.data, words); });
    }
    if (type == "has_wanted_ans") {
        return std::ranges::any_of(answer,
                                   [&](const Record& r) { return r.type == question_.type; });
    }
    throw std::runtime_error("no matcher: " + type);
}

bool Naive::holds_number(const std::string& type, const std::vector<std::string>& words) const {
    if (type == "rcode" && !response_) return false;
    const unsigned number = type == "qtype"    ? question_.type
                            : type == "qclass" ? question_.klass
                                               : response_->reply.rcode;
    return std::ranges::any_of(words,
                               [&](const std::string& w) { return number_of(type, w) == number; });
}

bool Naive::in_names(const std::string& name, const std::vector<std::string>& words,
                     bool by_type) const {
    return std::ranges::any_of(words, [&](const std::string& w) {
        return w.starts_with('$') ? in_domain_set(name, w.substr(1), by_type)
                                  : matches_rule(name, w);
    });
}

bool Naive::in_domain_set(const std::string& name, const std::string& tag, bool by_type) const {
    const YAML::Node args = plugin(tag)["args"];
    const auto type = plugin(tag)["type"].as<std::string>();
    if (type == "geosite") return in_geosite(name, args);
    if (type == "adguard_rule") return blocks(name, args, by_type);
    for (const auto& rule : args["exps"])
        if (matches_rule(name, rule.as<std::string>())) return true;
    for (const auto& set : args["sets"])
        if (in_domain_set(name, set.as<std::string>(), by_type)) return true;
    return false;
}

bool Naive::in_geosite(const std::string& name, const YAML::Node& args) const {
    constexpr std::array kKinds{"keyword:", "regexp:", "domain:", "full:"};
    return std::ranges::any_of(kGeoNames, [&](const GeoName& geo) {
        return is_selected(args["selectors"], std::string(geo.code), std::string(geo.attribute)) &&
               matches_rule(name, kKinds[geo.kind] + std::string(geo.text));
    });
}

// Important exceptions, important rules, exceptions, rules: the first group with a rule that holds decides.
bool Naive::blocks(const std::string& name, const YAML::Node& args, bool by_type) const {
    std::vector<AdguardRule> rules;
    for (const auto& text : args["rules"])
        rules.emplace_back(text.as<std::string>());
    const auto is_bad = [&](const AdguardRule& rule) {
        return rule.badfilter || std::ranges::any_of(rules, [&](const AdguardRule& other) {
                   return other.badfilter && other.exception == rule.exception &&
                          other.important == rule.important && other.pattern == rule.pattern &&
                          other.others == rule.others;
               });
    };
    for (const unsigned rank : {0U, 1U, 2U, 3U}) {
        const bool important = rank < 2, exception = rank % 2 == 0;
        const bool holds = std::ranges::any_of(rules, [&](const AdguardRule& rule) {
            return rule.important == important && rule.exception == exception && !is_bad(rule) &&
                   rule.holds(name, by_type ? question_.type : 0);
        });
        if (holds) return !exception;
    }
    return false;
}

bool Naive::in_addresses(const std::string& address, const std::vector<std::string>& words) const {
    return std::ranges::any_of(words, [&](const std::string& w) {
        return w.starts_with('$') ? in_ip_set(address, w.substr(1)) : in_prefix(address, w);
    });
}

bool Naive::in_ip_set(const std::string& address, const std::string& tag) const {
    const YAML::Node args = plugin(tag)["args"];
    if (plugin(tag)["type"].as<std::string>() == "geoip") {
        return std::ranges::any_of(kGeoPrefixes, [&](const GeoPrefix& geo) {
            return is_selected(args["selectors"], std::string(geo.code), "") &&
                   in_prefix(address, std::string(geo.address) + "/" + std::to_string(geo.length));
        });
    }
    for (const auto& prefix : args["ips"])
        if (in_prefix(address, prefix.as<std::string>())) return true;
    for (const auto& set : args["sets"])
        if (in_ip_set(address, set.as<std::string>())) return true;
    return false;
}

}  // namespace steer::differential
