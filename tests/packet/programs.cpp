#include "packet/programs.h"

#include <boost/test/unit_test.hpp>

#include "support/dns_message.h"

namespace steer::test {

SnapshotMaker::SnapshotMaker() : snapshot_(std::make_unique<Snapshot>()) {
    std::vector<matchers::Prefix> all;
    all.push_back({*IpAddress::parse("0.0.0.0"), 96});
    all.push_back({*IpAddress::parse("2001:db8::"), 32});
    snapshot_->allow = matchers::PrefixSet(all);
}

std::uint16_t SnapshotMaker::add(Op op, std::uint32_t operand, bool short_circuit,
                                 std::uint8_t instance) {
    const auto pc = static_cast<std::uint16_t>(snapshot_->program.size());
    snapshot_->program.push_back(
        {.op = op, .short_circuit = short_circuit, .instance = instance, .operand = operand});
    return pc;
}

std::uint16_t SnapshotMaker::test(Op op, std::uint32_t operand, bool negate) {
    const std::uint16_t pc = add(op, operand);
    snapshot_->program[pc].negate = negate;
    return pc;
}

void SnapshotMaker::land(std::uint16_t test) {
    snapshot_->program[test].target = static_cast<std::uint16_t>(snapshot_->program.size());
}

std::uint32_t SnapshotMaker::cache(std::uint16_t id) {
    snapshot_->caches.push_back({.id = id, .tag = "cache" + std::to_string(id)});
    return static_cast<std::uint32_t>(snapshot_->caches.size() - 1);
}

std::uint32_t SnapshotMaker::list(PolicyList list) {
    snapshot_->lists.push_back(std::move(list));
    return static_cast<std::uint32_t>(snapshot_->lists.size() - 1);
}

std::uint32_t SnapshotMaker::upstream(const std::string& address, std::uint16_t id,
                                      std::uint32_t timeout_ms) {
    snapshot_->upstreams.push_back({.id = id,
                                    .address = *IpAddress::parse(address),
                                    .timeout_ms = timeout_ms,
                                    .name = address});
    return static_cast<std::uint32_t>(snapshot_->upstreams.size() - 1);
}

std::uint32_t SnapshotMaker::group(std::vector<std::uint16_t> members,
                                   std::uint32_t total_timeout_ms) {
    snapshot_->groups.push_back(
        {.members = std::move(members), .total_timeout_ms = total_timeout_ms});
    return static_cast<std::uint32_t>(snapshot_->groups.size() - 1);
}

AnswerRef SnapshotMaker::known(const Bytes& response) {
    Bytes block(1024);
    dns::UpstreamFacts facts;
    const Bytes root{0};
    BOOST_REQUIRE(dns::build_answer(response, root, dns::kA, dns::kIn, false, block, facts,
                                    dns::Records::all) == dns::AnswerError::none);
    block.resize(reinterpret_cast<const dns::Answer*>(block.data())->size());
    return snapshot_->known.add(block);
}

AnswerRef SnapshotMaker::known_address(const std::string& address) {
    const IpAddress ip = *IpAddress::parse(address);
    DnsMessage m = DnsMessage::response(0, "", dns::kA, 0x8000);
    m.record(DnsMessage::kAnswer, {0xc0, 12}, dns::kA, 300, Bytes(ip.v4(), ip.v4() + 4));
    return known(m.bytes());
}

std::uint32_t SnapshotMaker::black_hole(const std::string& address) {
    const AnswerRef ref = known_address(address);
    snapshot_->black_holes.push_back({ref, ref, ref});
    return static_cast<std::uint32_t>(snapshot_->black_holes.size() - 1);
}

std::uint32_t SnapshotMaker::black_hole(std::uint8_t rcode) {
    const AnswerRef ref = known(
        DnsMessage::response(0, "", dns::kA, static_cast<std::uint16_t>(0x8000 | rcode)).bytes());
    snapshot_->black_holes.push_back({ref, ref, ref});
    return static_cast<std::uint32_t>(snapshot_->black_holes.size() - 1);
}

std::uint32_t SnapshotMaker::answer_table(const std::vector<std::string>& rules,
                                          const std::string& address) {
    AnswerTable table;
    matchers::NameValuesBuilder builder;
    for (const std::string& rule : rules)
        builder.add(*matchers::parse_rule(rule, matchers::RuleKind::full), 0);
    std::vector<Error> errors;
    table.names = builder.build(errors);
    BOOST_REQUIRE(errors.empty());
    table.values = {{0, 1}};
    table.typed = {{dns::kA, dns::kIn, known_address(address)}};
    snapshot_->answer_tables.push_back(std::move(table));
    return static_cast<std::uint32_t>(snapshot_->answer_tables.size() - 1);
}

std::uint32_t SnapshotMaker::live_answers(const std::vector<std::string>& names,
                                          const std::string& address) {
    struct Kept : LiveAnswers {
        LiveTable own;
    };
    const auto kept = std::make_shared<Kept>();
    answer_table(names, address);
    kept->own.names = std::move(snapshot_->answer_tables.back());
    snapshot_->answer_tables.pop_back();
    const dns::Answer& answer = snapshot_->known.at(kept->own.names.typed[0].answer);
    kept->own.names.typed[0].answer =
        kept->own.answers.add({reinterpret_cast<const std::uint8_t*>(&answer), answer.size()});
    kept->table = &kept->own;
    snapshot_->live_answers.push_back(kept);
    return static_cast<std::uint32_t>(snapshot_->live_answers.size() - 1);
}

std::uint32_t SnapshotMaker::redirect(const std::vector<std::string>& names,
                                      const std::string& target) {
    const auto value = static_cast<std::uint32_t>(snapshot_->redirect_targets.size());
    snapshot_->redirect_targets.push_back(wire_name(target));
    matchers::NameValuesBuilder builder(matchers::NameValues::Wins::first);
    for (const std::string& name : names)
        builder.add(*matchers::parse_rule(name, matchers::RuleKind::full), value);
    std::vector<Error> errors;
    snapshot_->redirects.push_back({builder.build(errors)});
    BOOST_REQUIRE(errors.empty());
    return static_cast<std::uint32_t>(snapshot_->redirects.size() - 1);
}

std::uint32_t SnapshotMaker::reverse(std::uint32_t ttl_s) {
    snapshot_->reverse.push_back({"reverse", ttl_s, std::make_shared<ReverseTable>(100)});
    return static_cast<std::uint32_t>(snapshot_->reverse.size() - 1);
}

std::uint32_t SnapshotMaker::learner(LearnDomain learner) {
    learner.recent = std::make_unique<RecentNames[]>(kMaxWorkers);
    snapshot_->learners.push_back(std::move(learner));
    return static_cast<std::uint32_t>(snapshot_->learners.size() - 1);
}

std::uint32_t SnapshotMaker::collector(const std::string& name) {
    snapshot_->collectors.push_back(std::make_shared<Collector>(name, kMaxWorkers));
    return static_cast<std::uint32_t>(snapshot_->collectors.size() - 1);
}

std::uint32_t SnapshotMaker::task(const std::string& tag) {
    snapshot_->tasks.push_back(std::make_shared<TaskFlag>());
    snapshot_->task_tags.push_back(tag);
    return static_cast<std::uint32_t>(snapshot_->tasks.size() - 1);
}

std::uint32_t SnapshotMaker::ttl(std::uint32_t least_s, std::uint32_t most_s) {
    snapshot_->ttl_limits.push_back({least_s, most_s});
    return static_cast<std::uint32_t>(snapshot_->ttl_limits.size() - 1);
}

std::uint32_t SnapshotMaker::domains(const std::vector<std::string>& rules) {
    matchers::TagBits mask;
    mask.set(static_cast<matchers::SetId>(sets_.size()));
    sets_.push_back(rules);
    snapshot_->tag_masks.push_back(mask);
    return static_cast<std::uint32_t>(snapshot_->tag_masks.size() - 1);
}

std::uint32_t SnapshotMaker::text(std::string s) {
    snapshot_->texts.push_back(std::move(s));
    return static_cast<std::uint32_t>(snapshot_->texts.size() - 1);
}

std::uint32_t SnapshotMaker::mark_mask(std::uint64_t bits) {
    snapshot_->mark_masks.push_back(bits);
    return static_cast<std::uint32_t>(snapshot_->mark_masks.size() - 1);
}

std::unique_ptr<Snapshot> SnapshotMaker::finish() {
    if (!sets_.empty()) {
        matchers::NameMatcherBuilder builder;
        for (std::size_t i = 0; i < sets_.size(); ++i) {
            for (const auto& rule : sets_[i]) {
                builder.add(static_cast<matchers::SetId>(i),
                            *matchers::parse_rule(rule, matchers::RuleKind::domain));
            }
        }
        std::vector<Error> errors, warnings;
        snapshot_->names = builder.build(errors, warnings);
        BOOST_REQUIRE(errors.empty());
    }
    BOOST_REQUIRE(equip(*snapshot_));
    return std::move(snapshot_);
}

PolicyList policy_list(ListId id, bool synchronous) {
    return {.id = id,
            .tag = "policy" + std::to_string(id),
            .has_v4 = true,
            .has_v6 = true,
            .synchronous = synchronous,
            .min_ttl_s = 60,
            .max_ttl_s = 1800,
            .extra_time_s = 30};
}

namespace {

std::uint32_t one_upstream(SnapshotMaker& m) {
    m.upstream("198.51.100.53", 0);
    return m.group({0});
}

void add_list(SnapshotMaker& m, const PolicyList& list) {
    const auto test = m.test(Op::if_tags, m.domains({"domain:stream.example"}));
    m.add(Op::enter_list, m.list(list));
    m.land(test);
}

void add_end(SnapshotMaker& m) {
    m.add(Op::sequence_end);
    m.add(Op::end);
}

}  // namespace

std::unique_ptr<Snapshot> cache_list_forward(const PolicyList& list) {
    SnapshotMaker m;
    m.add(Op::enter_cache, m.cache(), true);
    add_list(m, list);
    m.add(Op::forward, one_upstream(m));
    add_end(m);
    return m.finish();
}

std::unique_ptr<Snapshot> list_cache_forward(const PolicyList& list) {
    SnapshotMaker m;
    add_list(m, list);
    m.add(Op::enter_cache, m.cache(), true);
    m.add(Op::forward, one_upstream(m));
    add_end(m);
    return m.finish();
}

std::unique_ptr<Snapshot> list_forward(const PolicyList& list) {
    SnapshotMaker m;
    add_list(m, list);
    m.add(Op::forward, one_upstream(m));
    add_end(m);
    return m.finish();
}

std::unique_ptr<Snapshot> forward_only() {
    SnapshotMaker m;
    m.add(Op::forward, one_upstream(m));
    add_end(m);
    return m.finish();
}

std::unique_ptr<Snapshot> cache_forward() {
    SnapshotMaker m;
    m.add(Op::enter_cache, m.cache(), true);
    m.add(Op::forward, one_upstream(m));
    add_end(m);
    return m.finish();
}

}  // namespace steer::test
