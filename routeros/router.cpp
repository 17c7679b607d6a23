#include "routeros/router.h"

#include "routeros/engine.h"

namespace steer::routeros {

Router::Router(RouterConfig config, RouterSink& sink, RouterLink& link)
    : engine_(std::make_unique<Engine>(std::move(config), sink, link)) {}
Router::~Router() = default;

void Router::start(std::uint64_t now_ms) {
    engine_->start(now_ms);
}
void Router::stop(std::uint64_t now_ms) {
    engine_->stop(now_ms);
}
void Router::configure(RouterConfig config, std::uint64_t now_ms) {
    engine_->configure(std::move(config), now_ms);
}
void Router::claim(ListId list, std::span<const AddressBytes> addresses, const Origin& origin,
                   std::uint64_t lease_end_ms, std::uint32_t row_life_s, std::uint64_t hold_token,
                   std::uint64_t now_ms) {
    engine_->claim(list, addresses, origin, lease_end_ms, row_life_s, hold_token, now_ms);
}
void Router::take_claims(std::span<const SharedClaim> claims, bool urgent, std::uint64_t now_ms) {
    engine_->take_claims(claims, urgent, now_ms);
}
void Router::for_each_claim(const std::function<void(const SharedClaim&)>& f) const {
    engine_->for_each_claim(f);
}
void Router::set_role(FleetRole role, std::uint64_t now_ms) {
    engine_->set_role(std::move(role), now_ms);
}
std::uint64_t Router::highest_token() const {
    return engine_->highest_token();
}
void Router::connected(std::uint64_t now_ms) {
    engine_->connected(now_ms);
}
void Router::received(std::string_view bytes, std::uint64_t now_ms) {
    engine_->received(bytes, now_ms);
}
void Router::closed(std::string_view why, std::uint64_t now_ms) {
    engine_->closed(why, now_ms);
}
void Router::tick(std::uint64_t now_ms) {
    engine_->tick(now_ms);
}
std::uint64_t Router::next_deadline() const {
    return engine_->next_deadline();
}
void Router::hurry(std::uint64_t now_ms) {
    engine_->hurry(now_ms);
}
void Router::cleanup(std::uint64_t now_ms) {
    engine_->cleanup(now_ms);
}
bool Router::cleaned() const {
    return engine_->cleaned();
}
void Router::request_reprint(std::uint64_t now_ms) {
    engine_->request_reprint(now_ms);
}
void Router::pause(std::uint64_t now_ms) {
    engine_->pause(now_ms);
}
void Router::resume(std::uint64_t now_ms) {
    engine_->resume(now_ms);
}
std::size_t Router::remove_orphans(std::uint64_t now_ms) {
    return engine_->remove_orphans(now_ms);
}
Adopted Router::adopt(std::string_view prefix, bool write, std::uint64_t now_ms) {
    return engine_->adopt(prefix, write, now_ms);
}
Forgotten Router::forget(const AddressBytes& address, std::uint64_t now_ms) {
    return engine_->forget(address, now_ms);
}
void Router::probe(std::uint64_t now_ms) {
    engine_->probe(now_ms);
}
ProbeView Router::probed() const {
    return engine_->probed();
}
std::vector<DifferenceRow> Router::differences(std::size_t most, std::uint64_t now_ms) {
    return engine_->differences(most, now_ms);
}
std::string_view Router::tag_of(ListId list) const {
    return engine_->tag_of(list);
}
std::string_view Router::name_of(ListId list, const AddressBytes& address) const {
    return engine_->name_of(list, address);
}
bool Router::has_claim(ListId list, const AddressBytes& address) const {
    return engine_->has_claim(list, address);
}
const Trace& Router::trace() const {
    return engine_->trace();
}
RouterStatus Router::status() const {
    return engine_->status();
}
const RouterCounters& Router::counters() const {
    return engine_->counters();
}
std::vector<OrphanRow> Router::orphans() const {
    return engine_->orphans();
}

}  // namespace steer::routeros
