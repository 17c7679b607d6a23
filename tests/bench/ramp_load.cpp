// Queries over UDP at a rate that grows from 0, for the bench `recursion`. Many clients ask, so that
// no quota of one client limits them.
//
//   ramp_load SERVER NAMES MOST SECONDS PORT ADDRESS…
//
// NAMES: a file with a name in each line, asked for in this order. MOST: queries a second at the
// end. Each ADDRESS is a client, with its own port from PORT on. Each answer is checked: it is to
// the question, and has the address that all names of the bench have. The last line is JSON.
#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "bench/fail.h"

namespace steer::bench {

void fail(const std::string& why) {
    std::cerr << "ramp_load: " << why << '\n';
    std::exit(1);
}

namespace {

using Clock = std::chrono::steady_clock;
using Message = std::vector<std::uint8_t>;

constexpr std::size_t kHeader = 12, kRecordHead = 12;  // of an A record: its name is a pointer
constexpr std::array<std::uint8_t, 4> kAddress{198, 51, 100, 31};  // ADDRESS of dns_tree.py
constexpr double kInTimeS = 2, kTickS = 0.001, kIntervalS = 0.5;
constexpr std::uint8_t kTruncated = 2, kRcode = 15;

struct Asked {
    std::size_t name;
    double at_s;
};

struct Client {
    int socket = -1;
    std::uint16_t next_id = 0;
    std::unordered_map<std::uint16_t, Asked> asked{};
};

struct Counts {
    unsigned long sent = 0, answered = 0, late = 0, truncated = 0, failed = 0, wrong = 0;
    std::vector<unsigned long> by_interval{};
};

Message question(const std::string& name) {
    Message out{0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
    for (std::size_t at = 0; at < name.size();) {
        const std::size_t end = std::min(name.find('.', at), name.size());
        out.push_back(static_cast<std::uint8_t>(end - at));
        out.insert(out.end(), name.begin() + static_cast<std::ptrdiff_t>(at),
                   name.begin() + static_cast<std::ptrdiff_t>(end));
        at = end + 1;
    }
    out.insert(out.end(), {0, 0, 1, 0, 1});
    return out;
}

int open_socket(const char* from, std::uint16_t port, const char* server) {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    sockaddr_in here{}, there{};
    here.sin_family = there.sin_family = AF_INET;
    here.sin_port = htons(port);
    there.sin_port = htons(53);
    if (fd < 0 || ::inet_pton(AF_INET, from, &here.sin_addr) != 1 ||
        ::inet_pton(AF_INET, server, &there.sin_addr) != 1 ||
        ::bind(fd, reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0 ||
        ::connect(fd, reinterpret_cast<const sockaddr*>(&there), sizeof there) != 0)
        fail(std::string("no socket at ") + from + ": " + std::strerror(errno));
    return fd;
}

class Load {
  public:
    Load(std::vector<Message> queries, std::vector<Client> clients)
        : queries_(std::move(queries)), clients_(std::move(clients)) {}

    Counts run(double most, double seconds) {
        for (double now = 0; now < seconds + kInTimeS; now = now_s()) {
            const double ramp = std::min(now, seconds);
            const auto due = static_cast<unsigned long>(most * ramp * ramp / (2 * seconds));
            while (counts_.sent < std::min<unsigned long>(due, queries_.size()))
                send(now_s());
            for (Client& client : clients_)
                receive(client, now_s());
            std::this_thread::sleep_for(std::chrono::duration<double>(kTickS));
        }
        return counts_;
    }

  private:
    [[nodiscard]] double now_s() const {
        return std::chrono::duration<double>(Clock::now() - begin_).count();
    }

    void send(double now) {
        const std::size_t name = counts_.sent++;
        Client& client = clients_[name % clients_.size()];
        Message& query = queries_[name];
        const std::uint16_t id = client.next_id++;
        query[0] = static_cast<std::uint8_t>(id >> 8);
        query[1] = static_cast<std::uint8_t>(id);
        client.asked[id] = {name, now};
        (void)::send(client.socket, query.data(), query.size(), 0);
    }

    void receive(Client& client, double now) {
        std::array<std::uint8_t, 1500> room{};
        ssize_t got = 0;
        while ((got = ::recv(client.socket, room.data(), room.size(), 0)) >= 0) {
            if (static_cast<std::size_t>(got) < kHeader) continue;
            const auto found =
                client.asked.find(static_cast<std::uint16_t>(room[0] << 8 | room[1]));
            if (found == client.asked.end()) continue;
            count(found->second, {room.data(), room.data() + got}, now);
            client.asked.erase(found);
        }
    }

    void count(const Asked& asked, const Message& answer, double now) {
        const Message& query = queries_[asked.name];
        const std::size_t record = query.size() + kRecordHead;
        if ((answer[2] & kTruncated) != 0) {
            ++counts_.truncated;
        } else if ((answer[3] & kRcode) != 0) {
            ++counts_.failed;
        } else if (answer.size() < record ||
                   !std::equal(query.begin() + kHeader, query.end(), answer.begin() + kHeader) ||
                   answer.size() < record + kAddress.size() ||
                   !std::equal(kAddress.begin(), kAddress.end(),
                               answer.begin() + static_cast<std::ptrdiff_t>(record))) {
            ++counts_.wrong;
        } else if (now - asked.at_s > kInTimeS) {
            ++counts_.late;
        } else {
            ++counts_.answered;
            const auto interval = static_cast<std::size_t>(now / kIntervalS);
            counts_.by_interval.resize(std::max(counts_.by_interval.size(), interval + 1));
            ++counts_.by_interval[interval];
        }
    }

    std::vector<Message> queries_;
    std::vector<Client> clients_;
    Counts counts_;
    Clock::time_point begin_ = Clock::now();
};

int run(const std::vector<std::string>& words) {
    if (words.size() < 6) fail("SERVER NAMES MOST SECONDS PORT ADDRESS…");
    std::vector<Message> queries;
    std::ifstream file(words[1]);
    for (std::string line; std::getline(file, line);)
        queries.push_back(question(line.substr(0, line.find(' '))));
    if (queries.empty()) fail("no name in " + words[1]);
    std::vector<Client> clients(words.size() - 5);
    const int port = std::atoi(words[4].c_str());
    for (std::size_t i = 0; i < clients.size(); ++i)
        clients[i].socket =
            open_socket(words[5 + i].c_str(),
                        static_cast<std::uint16_t>(port + static_cast<int>(i)), words[0].c_str());
    const Counts counts = Load(std::move(queries), std::move(clients))
                              .run(std::atof(words[2].c_str()), std::atof(words[3].c_str()));
    const auto best = std::ranges::max_element(counts.by_interval);
    std::cout << "{\"sent\": " << counts.sent << ", \"answered\": " << counts.answered
              << ", \"late\": " << counts.late << ", \"truncated\": " << counts.truncated
              << ", \"failed\": " << counts.failed << ", \"wrong\": " << counts.wrong
              << ", \"best\": "
              << (best == counts.by_interval.end() ? 0 : static_cast<double>(*best) / kIntervalS)
              << "}\n";
    return 0;
}

}  // namespace
}  // namespace steer::bench

int main(int argc, char** argv) {
    return steer::bench::run({argv + 1, argv + argc});
}
