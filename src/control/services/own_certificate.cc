// SPDX-License-Identifier: BSD-3-Clause
#include "control/services/own_certificate.h"

#include <sys/stat.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "control/text_file.h"

namespace postern {
namespace {

constexpr int64_t kRenewBeforeS = 30 * 86'400;

std::vector<Ipv4Address> addresses_of(const std::vector<io::ListenAddress>& listeners) {
  std::vector<Ipv4Address> addresses;
  addresses.reserve(listeners.size());
  for (const io::ListenAddress& listener : listeners) {
    if (std::find(addresses.begin(), addresses.end(), listener.address) == addresses.end())
      addresses.push_back(listener.address);
  }
  return addresses;
}

bool is_good(const portal::CertificateText& text, const std::vector<Ipv4Address>& addresses) {
  const auto facts = portal::look_at(text);
  return facts && facts->not_after_s - kRenewBeforeS > std::time(nullptr) &&
         std::all_of(addresses.begin(), addresses.end(), [&](Ipv4Address address) {
           return std::count(facts->addresses.begin(), facts->addresses.end(), address) != 0;
         });
}

}  // namespace

Result<portal::CertificateText> own_certificate(const std::string& folder, const std::string& name,
                                                const std::vector<io::ListenAddress>& listeners) {
  const std::string certificate_file = folder + "/certificate.pem", key_file = folder + "/key.pem";
  const std::vector<Ipv4Address> addresses = addresses_of(listeners);
  auto kept = read_certificate({certificate_file, key_file});
  if (kept && is_good(*kept, addresses)) return kept;
  auto made = portal::make_certificate(name, addresses);
  if (!made) return made;
  mkdir(folder.c_str(), S_IRWXU);
  for (const auto& [file, text] :
       {std::pair(key_file, &made->key), std::pair(certificate_file, &made->certificate)}) {
    if (auto written = write_text_file(file, *text, S_IRUSR | S_IWUSR); !written)
      return std::move(written).error();
  }
  return made;
}

Result<portal::CertificateText> read_certificate(const CertificateFiles& files) {
  auto certificate = read_regular_file(files.certificate);
  if (!certificate) return std::move(certificate).error();
  auto key = read_regular_file(files.key);
  if (!key) return std::move(key).error();
  return portal::CertificateText{std::move(*certificate), std::move(*key)};
}

}  // namespace postern
